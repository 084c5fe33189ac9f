//! The outputs of an op's invocation.

use precip_core::{
    key::{AssetKey, CheckKey},
    metadata::Metadata,
    partitions::PartitionKey,
};

use crate::asset::{AssetError, AssetValue, CheckResult};

/// One (asset, partition) materialized by an invocation.
#[derive(Debug)]
pub struct OpOutput {
    /// The asset.
    pub asset: AssetKey,
    /// The partition; `None` for an unpartitioned asset.
    pub partition: Option<PartitionKey>,
    /// The data for its IO manager to store; `None` when the function stored it itself.
    pub value: Option<AssetValue>,
    /// Metadata recorded with the materialization.
    pub metadata: Metadata,
    /// The data version, if the function sets one; otherwise it follows from inputs and code
    /// version.
    pub data_version: Option<String>,
}

/// The result of one check on one (asset, partition).
#[derive(Debug, Clone, PartialEq)]
pub struct CheckOutput {
    /// The check, which the op declares.
    pub check: CheckKey,
    /// The checked partition; `None` for an unpartitioned asset.
    pub partition: Option<PartitionKey>,
    /// The result.
    pub result: CheckResult,
}

/// Everything an invocation returned: materializations, check results and failures.
#[derive(Debug, Default)]
pub struct OpOutputs {
    /// The materializations. An asset that the function left out (`can_subset`) is absent, and counts
    /// as skipped.
    pub made: Vec<OpOutput>,
    /// The results of the op's own checks.
    pub checks: Vec<CheckOutput>,
    /// The (asset, partition) pairs that there is nothing to make for. Nothing failed.
    pub skipped: Vec<(AssetKey, Option<PartitionKey>)>,
    /// The partitions that failed while others succeeded: every asset that is neither made nor
    /// skipped for such a partition.
    pub failed: Vec<(PartitionKey, AssetError)>,
}
