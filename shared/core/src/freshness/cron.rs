//! [`CronFreshness`]: the data has to be there by a deadline.

use std::time::Duration;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{FreshnessState, InvalidFreshness, time_window::after};
use crate::cron::{CronExpression, CronSchedule, parse_time_zone};

/// The asset has to be materialized between `lower_bound_delta` before each deadline and the
/// deadline. What counts at a moment is the last deadline that has passed: an asset that was
/// materialized too late, but since, is fresh.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Fields", into = "Fields")]
pub struct CronFreshness {
    cron: CronExpression,
    deadlines: CronSchedule,
    lower_bound_delta: Duration,
}

/// A policy as it is written down.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Fields {
    deadline_cron: String,
    lower_bound_delta: Duration,
    #[serde(default = "utc")]
    timezone: String,
}

fn utc() -> String {
    Tz::UTC.name().to_owned()
}

impl TryFrom<Fields> for CronFreshness {
    type Error = InvalidFreshness;

    fn try_from(fields: Fields) -> Result<Self, Self::Error> {
        Self::new(
            &fields.deadline_cron,
            fields.lower_bound_delta,
            &fields.timezone,
        )
    }
}

impl From<CronFreshness> for Fields {
    fn from(policy: CronFreshness) -> Self {
        Self {
            deadline_cron: policy.cron.to_string(),
            lower_bound_delta: policy.lower_bound_delta,
            timezone: policy.timezone().name().to_owned(),
        }
    }
}

impl CronFreshness {
    /// `timezone` is a name of the IANA database.
    ///
    /// # Errors
    /// [`InvalidFreshness`] when the cron string or the time zone cannot be read, or
    /// `lower_bound_delta` is less than a minute or longer than the shortest time between two
    /// deadlines (counted in UTC).
    pub fn new(
        deadline_cron: &str,
        lower_bound_delta: Duration,
        timezone: &str,
    ) -> Result<Self, InvalidFreshness> {
        let cron = CronExpression::new(deadline_cron)?;
        let given = lower_bound_delta;
        if given < Duration::from_secs(60) {
            return Err(InvalidFreshness::TooShort {
                field: "lower_bound_delta",
                given,
            });
        }
        if let Some(interval) = cron
            .smallest_interval()
            .filter(|interval| given > *interval)
        {
            let cron = cron.to_string();
            return Err(InvalidFreshness::LongerThanInterval {
                given,
                interval,
                cron,
            });
        }
        let deadlines = CronSchedule::union([cron.clone()], parse_time_zone(timezone)?)?;
        Ok(Self {
            cron,
            deadlines,
            lower_bound_delta,
        })
    }

    /// The deadlines.
    pub fn deadline_cron(&self) -> &CronExpression {
        &self.cron
    }

    /// How long before a deadline a materialization counts for it.
    pub fn lower_bound_delta(&self) -> Duration {
        self.lower_bound_delta
    }

    /// The time zone of the deadlines.
    pub fn timezone(&self) -> Tz {
        self.deadlines.timezone()
    }

    pub(super) fn state(&self, last: DateTime<Utc>, now: DateTime<Utc>) -> FreshnessState {
        let deadline = self.deadlines.ticks_until(now).next();
        // In time for the deadline: not more than the lower bound before it.
        let in_time =
            deadline.is_none_or(|deadline| after(last, self.lower_bound_delta) >= deadline.at());
        if in_time {
            FreshnessState::Pass
        } else {
            FreshnessState::Fail
        }
    }

    pub(super) fn next_change(
        &self,
        last: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        if self.state(last, now) == FreshnessState::Fail {
            return None;
        }
        let good_until = now.max(after(last, self.lower_bound_delta));
        let deadlines = self.deadlines.ticks_from(good_until).map(|tick| tick.at());
        deadlines
            .into_iter()
            .find(|deadline| *deadline > good_until)
    }
}
