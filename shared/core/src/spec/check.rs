//! Declarations of asset checks.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{key::CheckKey, spec::DepSpec};

/// The severity of a failed check, like Dagster's `AssetCheckSeverity`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Severity {
    /// A warning, which stops nothing.
    Warn,
    /// An error. If the check is blocking, nothing downstream runs.
    #[default]
    Error,
}

/// The declaration of an asset check.
///
/// A check belongs to an [`OpSpec`](crate::spec::OpSpec): either the one that makes the asset and
/// also returns the check's result, or an op of its own that runs afterwards.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CheckSpec {
    /// The checked asset, and the check's name.
    pub key: CheckKey,
    /// A description of the check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// True if a failure of severity ERROR stops everything downstream of the asset in the run.
    #[serde(default)]
    pub blocking: bool,
    /// Other assets that the check reads.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub additional_deps: Vec<DepSpec>,
}

impl CheckSpec {
    /// Creates the declaration of a check with nothing but a name.
    pub fn new(key: CheckKey) -> Self {
        Self {
            key,
            description: None,
            blocking: false,
            additional_deps: Vec::new(),
        }
    }
}
