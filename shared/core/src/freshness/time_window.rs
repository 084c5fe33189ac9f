//! [`TimeWindowFreshness`]: a limit on the age of the data.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{FreshnessState, InvalidFreshness};

const MINUTE: Duration = Duration::from_secs(60);

/// A policy that requires a new materialization before the last one is `fail_window` old.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Fields")]
pub struct TimeWindowFreshness {
    fail_window: Duration,
    #[serde(skip_serializing_if = "Option::is_none")]
    warn_window: Option<Duration>,
}

/// The serialized form of a policy, before validation.
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
    /// Creates a policy. A `warn_window` of zero means no warning, as in Dagster.
    ///
    /// # Errors
    /// [`InvalidFreshness`] if a window is shorter than a minute, or the warning does not come
    /// before the failure.
    pub fn new(
        fail_window: Duration,
        warn_window: Option<Duration>,
    ) -> Result<Self, InvalidFreshness> {
        let require_minute = |field, given| {
            if given < MINUTE {
                Err(InvalidFreshness::TooShort { field, given })
            } else {
                Ok(())
            }
        };
        require_minute("fail_window", fail_window)?;
        let nonzero_warn = warn_window.filter(|warn| !warn.is_zero());
        if let Some(warn) = nonzero_warn {
            require_minute("warn_window", warn)?;
            if warn >= fail_window {
                return Err(InvalidFreshness::WarnAfterFail {
                    warn,
                    fail: fail_window,
                });
            }
        }
        Ok(Self {
            fail_window,
            warn_window: nonzero_warn,
        })
    }

    /// Returns the age at which the state is `Fail`.
    pub fn fail_window(&self) -> Duration {
        self.fail_window
    }

    /// Returns the age at which the state is `Warn`.
    pub fn warn_window(&self) -> Option<Duration> {
        self.warn_window
    }

    pub(super) fn state(&self, last: DateTime<Utc>, now: DateTime<Utc>) -> FreshnessState {
        if now >= saturating_add(last, self.fail_window) {
            FreshnessState::Fail
        } else if self
            .warn_window
            .is_some_and(|warn| now >= saturating_add(last, warn))
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
        // The warning comes before the failure, so the first later moment is the next change.
        [self.warn_window, Some(self.fail_window)]
            .into_iter()
            .flatten()
            .map(|window| saturating_add(last, window))
            .find(|change| *change > now && *change < DateTime::<Utc>::MAX_UTC)
    }
}

/// Adds a duration to a moment, saturating at the greatest one.
pub(super) fn saturating_add(moment: DateTime<Utc>, time: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(time)
        .ok()
        .and_then(|time| moment.checked_add_signed(time))
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}
