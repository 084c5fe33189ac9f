//! The state kept between two evaluations of freshness.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use precip_core::{freshness::FreshnessState, key::AssetKey};
use serde::{Deserialize, Serialize};

use super::{FreshnessChange, freshness_trigger};
use crate::{automation::Seen, state::TriggerState, trigger::TriggerError};

/// The freshness of an asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssetFreshness {
    /// The freshness state.
    pub state: FreshnessState,
    /// The time of the evaluation that found this state.
    pub since: DateTime<Utc>,
    /// The time of its last materialization, of any partition; `None` if there was none.
    pub last: Option<DateTime<Utc>>,
}

/// The parsed cursor of [`freshness_trigger`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct StoredFreshness {
    #[serde(default)]
    pub(super) assets: BTreeMap<AssetKey, AssetFreshness>,
    #[serde(default)]
    pub(super) seen: Seen,
    /// Recorded changes that still have to be raised.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) raising: Vec<FreshnessChange>,
}

impl StoredFreshness {
    pub(super) fn of_trigger(state: &TriggerState) -> Result<Self, TriggerError> {
        let cursor = state.cursor.as_deref();
        let stored = cursor.map_or_else(|| Ok(Self::default()), serde_json::from_str);
        stored.map_err(|error| unreadable_cursor(&error))
    }

    pub(super) fn to_cursor(&self) -> Result<String, TriggerError> {
        serde_json::to_string(self).map_err(|error| unreadable_cursor(&error))
    }
}

fn unreadable_cursor(error: &serde_json::Error) -> TriggerError {
    TriggerError::Cursor {
        trigger: freshness_trigger().to_string(),
        problem: error.to_string(),
    }
}
