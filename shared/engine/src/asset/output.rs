//! What an op's function gives back.

use precip_core::{key::AssetKey, metadata::Metadata, partitions::PartitionKey};

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
    /// Results of the checks that the function ran itself.
    pub checks: Vec<CheckResult>,
    /// The version of the data, where the function knows better than its inputs and code version.
    pub data_version: Option<String>,
}

/// Everything an invocation made, and what it could not make.
#[derive(Debug, Default)]
pub struct OpOutputs {
    /// What was made.
    pub made: Vec<OpOutput>,
    /// Partitions of a batch that failed while others did not.
    pub failed: Vec<(PartitionKey, AssetError)>,
}
