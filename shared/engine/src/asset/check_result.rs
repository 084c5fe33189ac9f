//! [`CheckResult`].

use precip_core::{metadata::Metadata, spec::Severity};
use serde::{Deserialize, Serialize};

/// What a check found. As Dagster's `AssetCheckResult`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckResult {
    /// The check's name; a check that is a function of its own may leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether the asset is as it should be.
    pub passed: bool,
    /// What it means if not.
    #[serde(default)]
    pub severity: Severity,
    /// What was found, for a reader.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Facts found on the way.
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
}
