//! The upstream data that an op's function receives.

use precip_core::{key::AssetKey, partitions::PartitionKey};

use crate::{asset::AssetValue, io::LoadRequest};

/// A parameter that receives the data of an upstream asset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputSpec {
    /// The parameter's name.
    pub name: String,
    /// The upstream asset, which is also one of the op's dependencies.
    pub asset: AssetKey,
    /// The part of the data that the parameter's type needs.
    pub needs: InputNeeds,
}

/// The requirements of a parameter's type on an upstream asset.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InputNeeds {
    /// The data to load of each partition.
    pub request: LoadRequest,
    /// `true` if the type takes any number of upstream partitions. Otherwise it takes exactly one, and a
    /// partition mapping that yields more is rejected.
    pub many: bool,
    /// `true` if upstream partitions that were never materialized are left out. Otherwise they are an
    /// error.
    pub missing_ok: bool,
}

/// One loaded upstream partition.
#[derive(Debug)]
pub struct LoadedPart {
    /// The partition; `None` for an unpartitioned asset.
    pub partition: Option<PartitionKey>,
    /// The data.
    pub value: AssetValue,
}

/// The loaded upstream partitions of one invocation, in the order of the upstream definition.
#[derive(Debug)]
pub struct LoadedInput {
    /// The upstream asset.
    pub asset: AssetKey,
    /// The partitions.
    pub parts: Vec<LoadedPart>,
}
