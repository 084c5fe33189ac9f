//! Ops and dependencies in a manifest.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{key::AssetKey, mapping::PartitionMapping, spec::OpSpec};

/// An op: its declaration, and details of its function.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OpManifest {
    /// The op's declaration.
    #[serde(flatten)]
    pub spec: OpSpec,
    /// The inputs and the source location of its function.
    #[serde(flatten)]
    pub details: OpDetails,
}

/// The details of an op's function.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OpDetails {
    /// The parameters that load upstream assets, in the function's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<InputManifest>,
    /// The source location of its declaration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceManifest>,
}

/// A parameter that loads an upstream asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InputManifest {
    /// The parameter's name.
    pub name: String,
    /// The upstream asset.
    pub asset: AssetKey,
    /// True if it takes any number of upstream partitions, false if exactly one.
    pub many: bool,
    /// True if upstream partitions that were never materialized are omitted; otherwise they are an
    /// error.
    pub missing_ok: bool,
}

/// A location in the project's source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SourceManifest {
    /// The file's path, as the compiler gives it.
    pub file: String,
    /// The line, counted from 1.
    pub line: u32,
}

/// A dependency between two assets, with its effective mapping.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DependencyManifest {
    /// The upstream asset.
    pub upstream: AssetKey,
    /// The downstream asset.
    pub downstream: AssetKey,
    /// The mapping from downstream partitions to upstream partitions.
    pub mapping: PartitionMapping,
    /// True if no mapping was declared and this one follows from the two partitions definitions.
    pub inferred: bool,
}
