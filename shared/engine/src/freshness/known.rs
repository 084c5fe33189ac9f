//! What is kept between two evaluations.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use precip_core::{freshness::FreshnessState, key::AssetKey};
use serde::{Deserialize, Serialize};

use super::{FreshnessChange, trigger};
use crate::{automation::Seen, state::TriggerState, trigger::TriggerError};

/// What is known of the freshness of an asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// How fresh it is.
    pub state: FreshnessState,
    /// Since when, as far as somebody looked.
    pub since: DateTime<Utc>,
    /// When it was last materialized, whichever partition that was of; `None` is never.
    pub last: Option<DateTime<Utc>>,
}

/// The cursor of [`trigger`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Stored {
    #[serde(default)]
    pub(super) assets: BTreeMap<AssetKey, Known>,
    #[serde(default)]
    pub(super) seen: Seen,
    /// Changes that are to be raised.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) raising: Vec<FreshnessChange>,
}

impl Stored {
    pub(super) fn of(state: &TriggerState) -> Result<Self, TriggerError> {
        let cursor = state.cursor.as_deref();
        let stored = cursor.map_or_else(|| Ok(Self::default()), serde_json::from_str);
        stored.map_err(|error| unreadable(&error))
    }

    pub(super) fn write(&self) -> Result<String, TriggerError> {
        serde_json::to_string(self).map_err(|error| unreadable(&error))
    }
}

fn unreadable(error: &serde_json::Error) -> TriggerError {
    TriggerError::Cursor {
        trigger: trigger().to_string(),
        problem: error.to_string(),
    }
}
