//! [`FreshnessChange`] and where it is raised: [`FreshnessTopic`].

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use precip_core::{freshness::FreshnessState, key::AssetKey};
use serde::{Deserialize, Serialize};

/// The state of an asset became another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FreshnessChange {
    /// The asset.
    pub asset: AssetKey,
    /// What it is now.
    pub state: FreshnessState,
    /// What it was: `UNKNOWN` when it was looked at for the first time.
    pub before: FreshnessState,
    /// When that was found out.
    pub at: DateTime<Utc>,
    /// When the asset was last materialized; `None` is never.
    pub last_materialized: Option<DateTime<Utc>>,
}

impl FreshnessChange {
    /// What tells the change from every other: it is the same whenever it is raised.
    pub fn id(&self) -> String {
        let at = self.at.timestamp_micros();
        format!("{}#{at}#{}", self.asset, self.state)
    }
}

/// Where changes are raised for others to hear of.
#[async_trait]
pub trait FreshnessTopic: Send + Sync {
    /// Raises changes, in their order. It may be called again with some that were raised.
    ///
    /// # Errors
    /// Why they cannot be raised now; it will be asked again.
    async fn raise(&self, changes: &[FreshnessChange]) -> Result<(), String>;
}

/// Nobody hears of it: the record has it.
#[async_trait]
impl FreshnessTopic for () {
    async fn raise(&self, _: &[FreshnessChange]) -> Result<(), String> {
        Ok(())
    }
}
