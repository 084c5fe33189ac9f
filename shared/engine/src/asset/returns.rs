//! What an asset's function may return besides its data.

use precip_core::metadata::{Metadata, MetadataValue};

use crate::asset::CheckResult;

/// Returned by a function that stored the data itself: only facts about it. As Dagster's
/// `MaterializeResult`.
///
/// ```
/// use precip_engine::asset::MaterializeResult;
///
/// let result = MaterializeResult::new().metadata("rows", 336_776).data_version("2013");
/// assert_eq!(result.metadata["rows"], 336_776.into());
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MaterializeResult {
    /// Facts to keep with the materialization.
    pub metadata: Metadata,
    /// Results of the checks that the asset declares with `checks = [..]`.
    pub checks: Vec<CheckResult>,
    /// The version of the data, where the function knows better than its inputs and code version.
    pub data_version: Option<String>,
}

/// Data with facts about it: the data goes to the asset's IO manager. As Dagster's `Output`.
///
/// ```
/// use precip_engine::asset::{CheckResult, Output};
///
/// let rows = vec![1, 2, 3];
/// let output = Output::new(rows.clone())
///     .metadata("rows", rows.len())
///     .check(CheckResult::passed_if(!rows.is_empty()).named("not_empty"));
/// assert_eq!(output.value, [1, 2, 3]);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Output<T> {
    /// The data.
    pub value: T,
    /// Facts to keep with the materialization.
    pub metadata: Metadata,
    /// Results of the checks that the asset declares with `checks = [..]`.
    pub checks: Vec<CheckResult>,
    /// The version of the data, where the function knows better than its inputs and code version.
    pub data_version: Option<String>,
}

impl MaterializeResult {
    /// Nothing to say.
    pub fn new() -> Self {
        Self::default()
    }
}

impl<T> Output<T> {
    /// Data with nothing to say about it yet.
    pub fn new(value: T) -> Self {
        Self {
            value,
            metadata: Metadata::new(),
            checks: Vec::new(),
            data_version: None,
        }
    }

    /// The same facts about other data.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Output<U> {
        Output {
            value: f(self.value),
            metadata: self.metadata,
            checks: self.checks,
            data_version: self.data_version,
        }
    }
}

macro_rules! facts {
    ($($head:tt)*) => {
        $($head)* {
            /// Adds a fact.
            #[must_use]
            pub fn metadata(
                mut self,
                name: impl Into<String>,
                value: impl Into<MetadataValue>,
            ) -> Self {
                self.metadata.insert(name.into(), value.into());
                self
            }

            /// Adds what a check found that the asset declares with `checks = [..]`.
            #[must_use]
            pub fn check(mut self, result: CheckResult) -> Self {
                self.checks.push(result);
                self
            }

            /// Gives the data a version: downstream assets are out of date when it changes.
            #[must_use]
            pub fn data_version(mut self, version: impl Into<String>) -> Self {
                self.data_version = Some(version.into());
                self
            }
        }
    };
}

facts!(impl MaterializeResult);
facts!(impl<T> Output<T>);
