//! [`CheckResult`].

use precip_core::{
    metadata::{Metadata, MetadataValue},
    spec::Severity,
};
use serde::{Deserialize, Serialize};

/// What a check found. As Dagster's `AssetCheckResult`.
///
/// ```
/// use precip_engine::asset::CheckResult;
///
/// let (rows, least) = (40, 100);
/// let result = CheckResult::passed_if(rows >= least)
///     .warn()
///     .description(format!("{rows} rows, expected {least}"))
///     .metadata("rows", rows);
/// assert!(!result.passed);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckResult {
    /// The check's name; it may be left out where there is only one it can be.
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

impl CheckResult {
    /// A check that passed if something holds, and otherwise failed with severity ERROR.
    pub fn passed_if(passed: bool) -> Self {
        Self {
            name: None,
            passed,
            severity: Severity::Error,
            description: None,
            metadata: Metadata::new(),
        }
    }

    /// A check that passed.
    pub fn pass() -> Self {
        Self::passed_if(true)
    }

    /// A check that failed, with what was found.
    pub fn fail(description: impl Into<String>) -> Self {
        Self::passed_if(false).description(description)
    }

    /// Says which check this is, where one function runs several.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Makes a failure a warning: nothing stops for it.
    #[must_use]
    pub fn warn(self) -> Self {
        self.severity(Severity::Warn)
    }

    /// Says what a failure means.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// Says what was found, for a reader.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Adds a fact.
    #[must_use]
    pub fn metadata(mut self, name: impl Into<String>, value: impl Into<MetadataValue>) -> Self {
        self.metadata.insert(name.into(), value.into());
        self
    }
}

impl From<bool> for CheckResult {
    /// Passed, or failed with severity ERROR.
    fn from(passed: bool) -> Self {
        Self::passed_if(passed)
    }
}
