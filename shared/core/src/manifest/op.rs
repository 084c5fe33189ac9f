//! Ops and dependencies as a manifest shows them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{key::AssetKey, mapping::PartitionMapping, spec::OpSpec};

/// An op: what is declared of it, and what its function takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OpManifest {
    /// What is declared of it.
    #[serde(flatten)]
    pub spec: OpSpec,
    /// What its function takes, and where it is.
    #[serde(flatten)]
    pub details: OpDetails,
}

/// What is known of an op's function.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OpDetails {
    /// The parameters that take data of upstream assets, in the function's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<InputManifest>,
    /// Where it is declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceManifest>,
}

/// A parameter that takes data of an upstream asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InputManifest {
    /// The parameter's name.
    pub name: String,
    /// The upstream asset.
    pub asset: AssetKey,
    /// Whether it takes any number of upstream partitions, not exactly one.
    pub many: bool,
    /// Whether upstream partitions that were never materialized are left out instead of being an
    /// error.
    pub missing_ok: bool,
}

/// Where something is declared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SourceManifest {
    /// The file, as the compiler names it.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
}

/// A dependency between two assets, with the mapping that holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DependencyManifest {
    /// What is depended on.
    pub upstream: AssetKey,
    /// What depends on it.
    pub downstream: AssetKey,
    /// Which upstream partitions a downstream partition is made from.
    pub mapping: PartitionMapping,
    /// Whether the mapping follows from the two partitions definitions, since none was declared.
    pub inferred: bool,
}
