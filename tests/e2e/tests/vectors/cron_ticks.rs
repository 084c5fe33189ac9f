//! `cron_ticks.json`: ticks of schedules, ascending and descending.

use chrono::{DateTime, SecondsFormat, Utc};
use precip_core::cron::{CronExpression, CronSchedule, Tick, parse_time_zone};
use serde_json::Value;

use crate::kind::{Kind, Mismatch};

/// Ticks of schedules.
pub(crate) struct CronTicks;

impl Kind for CronTicks {
    const FILE: &'static str = "cron_ticks.json";

    type Shared = ();

    fn shared(_body: &Value) -> Self::Shared {}

    fn check(case: &Value, _shared: &Self::Shared) -> Result<(), Mismatch> {
        let expect = &case["expect"];
        let schedule = match schedule(case) {
            Ok(schedule) => schedule,
            Err(_) if expect["valid_schedule"] == false || expect["error"].is_string() => {
                return Ok(());
            }
            Err(fault) => return Err(Mismatch::new(expect, fault)),
        };
        if expect["valid_schedule"] == false || expect["error"].is_string() {
            return Err(Mismatch::new(expect, "a schedule"));
        }
        let start = moment(&case["start_utc"]);
        let wanted = strings(&expect["next_utc"]);
        let next: Vec<Tick> = schedule.ticks_from(start).take(wanted.len()).collect();
        Mismatch::unless_equal("next_utc", &wanted, &next.iter().map(utc).collect())?;
        let shown: Vec<String> = next
            .iter()
            .map(|tick| {
                let offset = tick
                    .local_time()
                    .signed_duration_since(tick.at().naive_utc())
                    .num_minutes();
                let sign = if offset < 0 { '-' } else { '+' };
                let (hours, minutes) = (offset.abs() / 60, offset.abs() % 60);
                format!(
                    "{}{sign}{hours:02}:{minutes:02}",
                    tick.local_time().format("%FT%T")
                )
            })
            .collect();
        Mismatch::unless_equal("next_local", &strings(&expect["next_local"]), &shown)?;
        if expect["previous_utc"].is_array() {
            let wanted = strings(&expect["previous_utc"]);
            let previous = schedule.ticks_until(start).take(wanted.len());
            let previous = previous.map(|tick| utc(&tick)).collect();
            Mismatch::unless_equal("previous_utc", &wanted, &previous)?;
        }
        Ok(())
    }
}

fn schedule(case: &Value) -> Result<CronSchedule, String> {
    let cron: Vec<&str> = match &case["cron"] {
        Value::Array(crons) => crons.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    };
    let cron: Result<Vec<CronExpression>, _> = cron.into_iter().map(CronExpression::new).collect();
    let zone = parse_time_zone(case["timezone"].as_str().unwrap_or_default());
    let zone = zone.map_err(|fault| fault.to_string())?;
    CronSchedule::union(cron.map_err(|fault| fault.to_string())?, zone)
        .map_err(|fault| fault.to_string())
}

fn utc(tick: &Tick) -> String {
    tick.at().to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn moment(value: &Value) -> DateTime<Utc> {
    value
        .as_str()
        .unwrap_or_default()
        .parse()
        .expect("a moment in RFC 3339")
}

fn strings(value: &Value) -> Vec<String> {
    let list = value.as_array().map_or(&[][..], Vec::as_slice);
    list.iter()
        .map(|item| item.as_str().unwrap_or_default().to_owned())
        .collect()
}
