//! [`CronFreshness`]: data is due by a deadline.

use std::time::Duration;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{FreshnessState, InvalidFreshness, time_window::saturating_add};
use crate::cron::{CronExpression, CronSchedule, parse_time_zone};

/// A policy that requires a materialization between `lower_bound_delta` before each deadline and
/// the deadline. Only the last passed deadline counts: an asset materialized late, but since that
/// deadline, is fresh.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Fields", into = "Fields")]
pub struct CronFreshness {
    cron: CronExpression,
    deadlines: CronSchedule,
    lower_bound_delta: Duration,
}

/// The serialized form of a policy, before validation.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Fields {
    deadline_cron: String,
    lower_bound_delta: Duration,
    #[serde(default = "default_timezone")]
    timezone: String,
}

fn default_timezone() -> String {
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
    /// Creates a policy. `timezone` is a name in the IANA database.
    ///
    /// # Errors
    /// [`InvalidFreshness`] if the cron string or the time zone is invalid, or if
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
        // Otherwise one materialization could meet two deadlines.
        if let Some(interval) = cron
            .smallest_interval()
            .filter(|interval| given > *interval)
        {
            return Err(InvalidFreshness::LongerThanInterval {
                given,
                interval,
                cron: cron.to_string(),
            });
        }
        let deadlines = CronSchedule::union([cron.clone()], parse_time_zone(timezone)?)?;
        Ok(Self {
            cron,
            deadlines,
            lower_bound_delta,
        })
    }

    /// Returns the deadlines.
    pub fn deadline_cron(&self) -> &CronExpression {
        &self.cron
    }

    /// Returns the time before a deadline within which a materialization meets it.
    pub fn lower_bound_delta(&self) -> Duration {
        self.lower_bound_delta
    }

    /// Returns the time zone of the deadlines.
    pub fn timezone(&self) -> Tz {
        self.deadlines.timezone()
    }

    pub(super) fn state(&self, last: DateTime<Utc>, now: DateTime<Utc>) -> FreshnessState {
        let deadline = self.deadlines.ticks_until(now).next();
        // In time: not earlier than the lower bound before the last passed deadline.
        let in_time = deadline
            .is_none_or(|deadline| saturating_add(last, self.lower_bound_delta) >= deadline.at());
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
        // The state is Pass, so it can only change at a deadline that the materialization is too
        // old for.
        let good_until = now.max(saturating_add(last, self.lower_bound_delta));
        let deadlines = self.deadlines.ticks_from(good_until).map(|tick| tick.at());
        deadlines
            .into_iter()
            .find(|deadline| *deadline > good_until)
    }
}
