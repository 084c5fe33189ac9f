//! [`TimeWindowFreshness`]: the data may be so old.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{FreshnessState, InvalidFreshness};

const MINUTE: Duration = Duration::from_secs(60);

/// The asset has to be materialized again before its last materialization is `fail_window` old.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Fields")]
pub struct TimeWindowFreshness {
    fail_window: Duration,
    #[serde(skip_serializing_if = "Option::is_none")]
    warn_window: Option<Duration>,
}

/// A policy as it is written down.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Fields {
    fail_window: Duration,
    #[serde(default)]
    warn_window: Option<Duration>,
}

impl TryFrom<Fields> for TimeWindowFreshness {
    type Error = InvalidFreshness;

    fn try_from(fields: Fields) -> Result<Self, Self::Error> {
        Self::new(fields.fail_window, fields.warn_window)
    }
}

impl TimeWindowFreshness {
    /// A warning of no length is none, as in Dagster.
    ///
    /// # Errors
    /// [`InvalidFreshness`] when a window is less than a minute, or the warning does not come before
    /// the failure.
    pub fn new(
        fail_window: Duration,
        warn_window: Option<Duration>,
    ) -> Result<Self, InvalidFreshness> {
        let long_enough = |field, given| {
            if given < MINUTE {
                Err(InvalidFreshness::TooShort { field, given })
            } else {
                Ok(())
            }
        };
        long_enough("fail_window", fail_window)?;
        let warn_window = warn_window.filter(|warn| !warn.is_zero());
        if let Some(warn) = warn_window {
            long_enough("warn_window", warn)?;
            if warn >= fail_window {
                return Err(InvalidFreshness::WarnAfterFail {
                    warn,
                    fail: fail_window,
                });
            }
        }
        Ok(Self {
            fail_window,
            warn_window,
        })
    }

    /// The age at which the data is too old.
    pub fn fail_window(&self) -> Duration {
        self.fail_window
    }

    /// The age at which a warning is given.
    pub fn warn_window(&self) -> Option<Duration> {
        self.warn_window
    }

    pub(super) fn state(&self, last: DateTime<Utc>, now: DateTime<Utc>) -> FreshnessState {
        if now >= after(last, self.fail_window) {
            FreshnessState::Fail
        } else if self
            .warn_window
            .is_some_and(|warn| now >= after(last, warn))
        {
            FreshnessState::Warn
        } else {
            FreshnessState::Pass
        }
    }

    pub(super) fn next_change(
        &self,
        last: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        let changes = [self.warn_window, Some(self.fail_window)];
        let mut changes = changes
            .into_iter()
            .flatten()
            .map(|window| after(last, window));
        changes.find(|change| *change > now && *change < DateTime::<Utc>::MAX_UTC)
    }
}

/// A moment and some time; the end of time where there is no such moment.
pub(super) fn after(moment: DateTime<Utc>, time: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(time)
        .ok()
        .and_then(|time| moment.checked_add_signed(time))
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}
