//! What an op's function gives back to the engine.

use precip_core::{
    key::{AssetKey, CheckKey},
    metadata::Metadata,
    partitions::PartitionKey,
};

use crate::asset::{AssetError, AssetValue, CheckResult};

/// One (asset, partition) that an invocation made.
#[derive(Debug)]
pub struct OpOutput {
    /// The asset.
    pub asset: AssetKey,
    /// The partition; `None` for an unpartitioned asset.
    pub partition: Option<PartitionKey>,
    /// What its IO manager is to store; `None` when the function stored it itself.
    pub value: Option<AssetValue>,
    /// Facts to keep with the materialization.
    pub metadata: Metadata,
    /// The version of the data, where the function knows better than its inputs and code version.
    pub data_version: Option<String>,
}

/// What one check found about one (asset, partition).
#[derive(Debug, Clone, PartialEq)]
pub struct CheckOutput {
    /// The check: one of those that the op declares.
    pub check: CheckKey,
    /// The partition it looked at; `None` for an unpartitioned asset.
    pub partition: Option<PartitionKey>,
    /// What it found.
    pub result: CheckResult,
}

/// Everything an invocation made and found, and what it could not make.
#[derive(Debug, Default)]
pub struct OpOutputs {
    /// What was made. An asset that may be left out (`can_subset`) and was is not here.
    pub made: Vec<OpOutput>,
    /// What the checks found that the op runs.
    pub checks: Vec<CheckOutput>,
    /// Partitions of a batch that failed while others did not.
    pub failed: Vec<(PartitionKey, AssetError)>,
}
