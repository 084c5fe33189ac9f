//! `freshness.json`: states of freshness policies.

use std::time::Duration;

use chrono::{DateTime, Utc};
use precip_core::freshness::FreshnessPolicy;
use serde_json::Value;

use crate::kind::{Kind, Mismatch};

/// States of freshness policies.
pub(crate) struct Freshness;

impl Kind for Freshness {
    const FILE: &'static str = "freshness.json";

    type Shared = ();

    fn shared(_body: &Value) -> Self::Shared {}

    fn check(case: &Value, _shared: &Self::Shared) -> Result<(), Mismatch> {
        let expect = &case["expect"];
        let policy = match (policy(&case["policy"]), expect["error"].is_string()) {
            (Err(_), true) => return Ok(()),
            (Err(fault), false) => return Err(Mismatch::new(expect, fault)),
            (Ok(policy), true) => return Err(Mismatch::new(expect, policy)),
            (Ok(policy), false) => policy,
        };
        let last = case["materializations_utc"]
            .as_array()
            .into_iter()
            .flatten()
            .map(moment)
            .max();
        let now = moment(&case["now_utc"]);
        let state = policy.state(last, now);
        Mismatch::unless_equal(
            "state",
            &expect["state"].as_str(),
            &Some(&*state.to_string()),
        )?;
        // The state changes when it is said to change, and not a second before.
        match policy.next_change(last, now) {
            Some(change) => {
                let before = policy.state(last, change - Duration::from_secs(1));
                let same = change - now <= chrono::TimeDelta::seconds(1) || before == state;
                Mismatch::unless_equal("stays until", &true, &same)?;
                let changes = policy.state(last, change) != state;
                Mismatch::unless_equal("changes", &true, &changes)
            }
            None => {
                let later = policy.state(last, now + Duration::from_secs(800 * 86_400));
                Mismatch::unless_equal("state much later", &state, &later)
            }
        }
    }
}

fn policy(policy: &Value) -> Result<FreshnessPolicy, String> {
    let seconds = |field: &str| {
        let seconds = &policy[field];
        if seconds.is_null() {
            return Ok(None);
        }
        // A negative span cannot even be written down here.
        Duration::try_from_secs_f64(seconds.as_f64().unwrap_or(-1.0))
            .map(Some)
            .map_err(|fault| fault.to_string())
    };
    let built = if policy["type"] == "cron" {
        FreshnessPolicy::cron(
            policy["deadline_cron"].as_str().unwrap_or_default(),
            seconds("lower_bound_delta_s")?.unwrap_or_default(),
            policy["timezone"].as_str().unwrap_or("UTC"),
        )
    } else {
        FreshnessPolicy::time_window(
            seconds("fail_window_s")?.unwrap_or_default(),
            seconds("warn_window_s")?,
        )
    };
    built.map_err(|fault| fault.to_string())
}

fn moment(value: &Value) -> DateTime<Utc> {
    value
        .as_str()
        .unwrap_or_default()
        .parse()
        .expect("a moment in RFC 3339")
}
