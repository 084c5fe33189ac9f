//! [`CheckResult`].

use precip_core::{
    metadata::{Metadata, MetadataValue},
    spec::Severity,
};
use serde::{Deserialize, Serialize};

/// The result of a check, like Dagster's `AssetCheckResult`.
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
    /// The check's name; may be left out where only one check is possible.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `true` if the check passed.
    pub passed: bool,
    /// The severity of a failure.
    #[serde(default)]
    pub severity: Severity,
    /// Text for people about the result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Metadata collected by the check.
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
}

impl CheckResult {
    /// Creates a result that passed if `passed` is `true`, and otherwise failed with severity
    /// ERROR.
    pub fn passed_if(passed: bool) -> Self {
        Self {
            name: None,
            passed,
            severity: Severity::Error,
            description: None,
            metadata: Metadata::new(),
        }
    }

    /// Creates a passed result.
    pub fn pass() -> Self {
        Self::passed_if(true)
    }

    /// Creates a failed result with a description.
    pub fn fail(description: impl Into<String>) -> Self {
        Self::passed_if(false).description(description)
    }

    /// Sets the name of the check, required if one function evaluates several.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Turns a failure into a warning, which stops nothing.
    #[must_use]
    pub fn warn(self) -> Self {
        self.severity(Severity::Warn)
    }

    /// Sets the severity of a failure.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// Sets the text for people about the result.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Adds metadata.
    #[must_use]
    pub fn metadata(mut self, name: impl Into<String>, value: impl Into<MetadataValue>) -> Self {
        self.metadata.insert(name.into(), value.into());
        self
    }
}

impl From<bool> for CheckResult {
    /// Converts `true` into a passed result and `false` into a failed one with severity ERROR.
    fn from(passed: bool) -> Self {
        Self::passed_if(passed)
    }
}
