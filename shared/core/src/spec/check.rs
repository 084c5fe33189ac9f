//! Asset checks as declared.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{key::CheckKey, spec::DepSpec};

/// What a failed check means. As Dagster's `AssetCheckSeverity`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Severity {
    /// Worth knowing; nothing stops.
    Warn,
    /// Wrong; a blocking check stops what is downstream.
    #[default]
    Error,
}

/// A check on an asset, as declared.
///
/// A check belongs to an [`OpSpec`](crate::spec::OpSpec): to the one that makes the asset and returns
/// the check's result beside it, or to an op of its own that runs after it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CheckSpec {
    /// The asset and the check's name on it.
    pub key: CheckKey,
    /// What it looks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether a failed check of severity ERROR stops what is downstream of the asset in the run.
    #[serde(default)]
    pub blocking: bool,
    /// Other assets it reads.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub additional_deps: Vec<DepSpec>,
}

impl CheckSpec {
    /// A check with nothing but a name.
    pub fn new(key: CheckKey) -> Self {
        Self {
            key,
            description: None,
            blocking: false,
            additional_deps: Vec::new(),
        }
    }
}
