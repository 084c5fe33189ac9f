//! What an op's function is given of its upstream assets.

use precip_core::{key::AssetKey, partitions::PartitionKey};

use crate::asset::AssetValue;

/// One parameter that takes the data of an upstream asset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputSpec {
    /// The parameter's name.
    pub name: String,
    /// The upstream asset. It is also one of the op's dependencies.
    pub asset: AssetKey,
}

/// One upstream partition, loaded.
#[derive(Debug)]
pub struct LoadedPart {
    /// The partition; `None` for an unpartitioned asset.
    pub partition: Option<PartitionKey>,
    /// Its data.
    pub value: AssetValue,
}

/// The upstream partitions that one invocation is made from, in the upstream definition's order.
#[derive(Debug, Default)]
pub struct LoadedInput {
    /// The partitions.
    pub parts: Vec<LoadedPart>,
}
