//! What an op's function is given of its upstream assets.

use precip_core::{key::AssetKey, partitions::PartitionKey};

use crate::{asset::AssetValue, io::LoadRequest};

/// One parameter that takes the data of an upstream asset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputSpec {
    /// The parameter's name.
    pub name: String,
    /// The upstream asset. It is also one of the op's dependencies.
    pub asset: AssetKey,
    /// What the parameter's type needs of it.
    pub needs: InputNeeds,
}

/// What a parameter's type needs of an upstream asset.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InputNeeds {
    /// What is loaded of each partition.
    pub request: LoadRequest,
    /// Whether the type takes any number of upstream partitions. Otherwise it takes exactly one, and
    /// a partition mapping that answers with more is refused.
    pub many: bool,
    /// Whether upstream partitions that were never materialized are left out. Otherwise they are an
    /// error.
    pub missing_ok: bool,
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
#[derive(Debug)]
pub struct LoadedInput {
    /// The upstream asset.
    pub asset: AssetKey,
    /// The partitions.
    pub parts: Vec<LoadedPart>,
}
