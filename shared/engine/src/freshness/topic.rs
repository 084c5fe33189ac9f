//! [`FreshnessChange`], and the port that raises it: [`FreshnessTopic`].

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use precip_core::{freshness::FreshnessState, key::AssetKey};
use serde::{Deserialize, Serialize};

/// A change of an asset's freshness state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FreshnessChange {
    /// The asset.
    pub asset: AssetKey,
    /// The new state.
    pub state: FreshnessState,
    /// The previous state; `UNKNOWN` for the first evaluation.
    pub before: FreshnessState,
    /// The time of the evaluation that found the change.
    pub at: DateTime<Utc>,
    /// The time of the last materialization; `None` if there was none.
    pub last_materialized: Option<DateTime<Utc>>,
}

impl FreshnessChange {
    /// Returns the unique id of the change, which is the same each time the change is raised.
    pub fn id(&self) -> String {
        let at = self.at.timestamp_micros();
        format!("{}#{at}#{}", self.asset, self.state)
    }
}

/// A topic on which freshness changes are raised for subscribers.
#[async_trait]
pub trait FreshnessTopic: Send + Sync {
    /// Raises changes, in order. May be called again with changes that were raised before.
    ///
    /// # Errors
    /// The reason why they cannot be raised now. The caller tries again.
    async fn raise_changes(&self, changes: &[FreshnessChange]) -> Result<(), String>;
}

/// A topic without subscribers: changes are recorded only.
#[async_trait]
impl FreshnessTopic for () {
    async fn raise_changes(&self, _: &[FreshnessChange]) -> Result<(), String> {
        Ok(())
    }
}
