//! [`PlanRequest`]: what is asked for.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    graph::AssetSet,
    key::CheckKey,
    plan::{AssetPartitions, PartitionSelector},
};

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct PlanRequest {
    /// The assets to make.
    pub assets: AssetSet,
    /// The checks to run beside them.
    pub checks: CheckSelection,
    /// Their partitions.
    pub partitions: PartitionSelector,
    /// The run config; `Null` when none is given.
    pub config: serde_json::Value,
    /// The run's tags.
    pub tags: BTreeMap<String, String>,
    /// What makes a repeated request the same request.
    pub run_key: Option<String>,
}

impl PlanRequest {
    /// Asks for assets and their checks.
    pub fn new(assets: AssetSet, partitions: PartitionSelector) -> Self {
        Self {
            assets,
            partitions,
            ..Self::default()
        }
    }
}

/// Which checks run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum CheckSelection {
    /// Every check of the assets that are made.
    #[default]
    All,
    /// No check that can be left out.
    None,
    /// These.
    Only(BTreeSet<CheckKey>),
}

impl CheckSelection {
    /// Whether a check is to run when its asset is made.
    pub fn contains(&self, check: &CheckKey) -> bool {
        match self {
            Self::All => true,
            Self::None => false,
            Self::Only(checks) => checks.contains(check),
        }
    }
}

/// What is on record when a plan is made.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Record {
    /// Everything that was ever made and can be read.
    pub materialized: AssetPartitions,
    /// Everything whose newest attempt failed.
    pub failed: AssetPartitions,
}
