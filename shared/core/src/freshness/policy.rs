//! [`FreshnessPolicy`]: a policy of either kind.

use std::time::Duration;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CronFreshness, FreshnessState, InvalidFreshness, TimeWindowFreshness};

/// A rule that decides if an asset's data is fresh, like Dagster's `FreshnessPolicy`.
///
/// ```
/// use std::time::Duration;
///
/// use chrono::{DateTime, Utc};
/// use precip_core::freshness::{FreshnessPolicy, FreshnessState};
///
/// let hours = |hours: u64| Duration::from_secs(hours * 3600);
/// let daily = FreshnessPolicy::time_window(hours(24), Some(hours(12)))?;
/// let last: DateTime<Utc> = "2024-06-10T00:00:00Z".parse()?;
/// let noon: DateTime<Utc> = "2024-06-10T12:00:00Z".parse()?;
/// assert_eq!(daily.state(Some(last), noon), FreshnessState::Warn);
/// assert_eq!(daily.next_change(Some(last), noon), Some("2024-06-11T00:00:00Z".parse()?));
///
/// let by_ten = FreshnessPolicy::cron("0 10 * * *", hours(1), "UTC")?;
/// assert_eq!(by_ten.state(Some(last), noon), FreshnessState::Fail);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FreshnessPolicy {
    /// A limit on the age of the data.
    TimeWindow(TimeWindowFreshness),
    /// Deadlines for new data.
    Cron(CronFreshness),
}

impl FreshnessPolicy {
    /// Creates a policy under which the asset warns once its last materialization is `warn_window`
    /// old, and fails at `fail_window`.
    ///
    /// # Errors
    /// As for [`TimeWindowFreshness::new`].
    pub fn time_window(
        fail_window: Duration,
        warn_window: Option<Duration>,
    ) -> Result<Self, InvalidFreshness> {
        TimeWindowFreshness::new(fail_window, warn_window).map(Self::TimeWindow)
    }

    /// Creates a policy under which the asset fails if its last materialization is older than
    /// `lower_bound_delta` before the last passed deadline.
    ///
    /// # Errors
    /// As for [`CronFreshness::new`].
    pub fn cron(
        deadline_cron: &str,
        lower_bound_delta: Duration,
        timezone: &str,
    ) -> Result<Self, InvalidFreshness> {
        CronFreshness::new(deadline_cron, lower_bound_delta, timezone).map(Self::Cron)
    }

    /// Returns the state at `now` of an asset last materialized at `last` (`None`: never).
    pub fn state(&self, last: Option<DateTime<Utc>>, now: DateTime<Utc>) -> FreshnessState {
        match (self, last) {
            (_, None) => FreshnessState::Unknown,
            (Self::TimeWindow(policy), Some(last)) => policy.state(last, now),
            (Self::Cron(policy), Some(last)) => policy.state(last, now),
        }
    }

    /// Returns the next moment after `now` at which the state changes unless the asset is
    /// materialized first, or `None` if it does not change.
    pub fn next_change(
        &self,
        last: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        match self {
            Self::TimeWindow(policy) => policy.next_change(last?, now),
            Self::Cron(policy) => policy.next_change(last?, now),
        }
    }
}
