//! The types that an asset's function may return besides its data.

use precip_core::metadata::{Metadata, MetadataValue};

use crate::asset::CheckResult;

/// The return value of a function that stored the data itself: only facts about it. Like Dagster's
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
    /// Metadata recorded with the materialization.
    pub metadata: Metadata,
    /// The results of the checks declared with `checks = [..]`.
    pub checks: Vec<CheckResult>,
    /// The data version, if the function sets one; otherwise it follows from inputs and code
    /// version.
    pub data_version: Option<String>,
}

/// Data for the asset's IO manager, with facts about it. Like Dagster's `Output`.
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
    /// Metadata recorded with the materialization.
    pub metadata: Metadata,
    /// The results of the checks declared with `checks = [..]`.
    pub checks: Vec<CheckResult>,
    /// The data version, if the function sets one; otherwise it follows from inputs and code
    /// version.
    pub data_version: Option<String>,
}

impl MaterializeResult {
    /// Creates a result without facts.
    pub fn new() -> Self {
        Self::default()
    }
}

impl<T> Output<T> {
    /// Wraps data, without facts.
    pub fn new(value: T) -> Self {
        Self {
            value,
            metadata: Metadata::new(),
            checks: Vec::new(),
            data_version: None,
        }
    }

    /// Transforms the data and keeps the facts.
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
            /// Adds metadata.
            #[must_use]
            pub fn metadata(
                mut self,
                name: impl Into<String>,
                value: impl Into<MetadataValue>,
            ) -> Self {
                self.metadata.insert(name.into(), value.into());
                self
            }

            /// Adds the result of a check declared with `checks = [..]`.
            #[must_use]
            pub fn check(mut self, result: CheckResult) -> Self {
                self.checks.push(result);
                self
            }

            /// Sets the data version. A changed version makes downstream assets stale.
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
