//! Asset checks as declared.

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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
