//! [`PlanRequest`]: the input of planning.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    graph::AssetSet,
    key::CheckKey,
    plan::{AssetPartitions, PartitionSelector},
};

/// A request for assets, checks and partitions.
#[derive(Debug, Clone, Default)]
pub struct PlanRequest {
    /// The assets to materialize.
    pub assets: AssetSet,
    /// The checks to run with them.
    pub checks: CheckSelection,
    /// The partitions of the assets.
    pub partitions: PartitionSelector,
    /// The run config; `Null` when none is given.
    pub config: serde_json::Value,
    /// The run's tags.
    pub tags: BTreeMap<String, String>,
    /// The key that identifies repeated requests.
    pub run_key: Option<String>,
}

impl PlanRequest {
    /// Requests assets and all of their checks.
    pub fn new(assets: AssetSet, partitions: PartitionSelector) -> Self {
        Self {
            assets,
            partitions,
            ..Self::default()
        }
    }
}

/// The checks that run with the assets of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum CheckSelection {
    /// Every check of the assets.
    #[default]
    All,
    /// None, except those that an op cannot leave out.
    None,
    /// These checks.
    Only(BTreeSet<CheckKey>),
}

impl CheckSelection {
    /// Returns `true` if a check runs when its asset is materialized.
    pub fn contains(&self, check: &CheckKey) -> bool {
        match self {
            Self::All => true,
            Self::None => false,
            Self::Only(checks) => checks.contains(check),
        }
    }
}

/// The recorded status of partitions at the moment of planning.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AssetStatuses {
    /// Materialized partitions: a reader can load them.
    pub materialized: AssetPartitions,
    /// Failed partitions: the newest attempt of each failed.
    pub failed: AssetPartitions,
}
