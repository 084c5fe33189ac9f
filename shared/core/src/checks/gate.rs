//! What a failed check stops.

use crate::spec::{CheckSpec, Severity};

/// Whether what is downstream of the checked asset must not run: the check is blocking and found
/// something wrong of severity ERROR. A finding of severity WARN, or of a check that does not block,
/// stops nothing.
pub fn stops_downstream(blocking: bool, passed: bool, severity: Severity) -> bool {
    blocking && !passed && severity == Severity::Error
}

/// What the results of the checks that one step returned mean for the step.
#[derive(Debug, Clone, PartialEq)]
pub enum Gate<'a> {
    /// The step succeeded, whatever the checks found.
    Open,
    /// The step failed although it did its work, and what depends on it is not run.
    Closed {
        /// The blocking checks that found something wrong.
        by: Vec<&'a CheckSpec>,
    },
}

impl Gate<'_> {
    /// Whether the step succeeded.
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Open)
    }
}

/// Judges a step by the results of its checks. A check that returned no result stops nothing, as in
/// Dagster.
///
/// ```
/// use precip_core::{checks::gate, key::CheckKey, spec::{CheckSpec, Severity}};
///
/// let key = CheckKey { asset: "flights".parse()?, name: "not_empty".into() };
/// let check = CheckSpec { blocking: true, ..CheckSpec::new(key) };
/// assert!(gate([(&check, false, Severity::Warn)]).is_open());
/// assert!(!gate([(&check, false, Severity::Error)]).is_open());
/// # Ok::<(), precip_core::key::InvalidAssetKey>(())
/// ```
pub fn gate<'a>(results: impl IntoIterator<Item = (&'a CheckSpec, bool, Severity)>) -> Gate<'a> {
    let by: Vec<&CheckSpec> = results
        .into_iter()
        .filter(|(check, passed, severity)| stops_downstream(check.blocking, *passed, *severity))
        .map(|(check, ..)| check)
        .collect();
    if by.is_empty() {
        Gate::Open
    } else {
        Gate::Closed { by }
    }
}
