//! The effect of failed checks on the rest of a run.

use crate::spec::{CheckSpec, Severity};

/// Returns true if a check's result stops everything downstream of the checked asset: the check is
/// blocking and failed with severity ERROR. A failure of severity WARN, or of a check that does not
/// block, stops nothing.
pub fn stops_downstream(blocking: bool, passed: bool, severity: Severity) -> bool {
    blocking && !passed && severity == Severity::Error
}

/// The verdict on a step from the results of its checks.
#[derive(Debug, Clone, PartialEq)]
pub enum Gate<'a> {
    /// The step succeeded, whatever its checks found.
    Open,
    /// The step failed although its function succeeded; nothing downstream of it runs.
    Closed {
        /// The blocking checks that failed.
        failed_checks: Vec<&'a CheckSpec>,
    },
}

impl Gate<'_> {
    /// Returns true if the step succeeded.
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Open)
    }
}

/// Decides whether a step succeeded from its checks' results: the check, whether it passed, and the
/// severity. A check without a result stops nothing, as in Dagster.
///
/// ```
/// use precip_core::{checks::evaluate_gate, key::CheckKey, spec::{CheckSpec, Severity}};
///
/// let key = CheckKey { asset: "flights".parse()?, name: "not_empty".into() };
/// let check = CheckSpec { blocking: true, ..CheckSpec::new(key) };
/// assert!(evaluate_gate([(&check, false, Severity::Warn)]).is_open());
/// assert!(!evaluate_gate([(&check, false, Severity::Error)]).is_open());
/// # Ok::<(), precip_core::key::InvalidAssetKey>(())
/// ```
pub fn evaluate_gate<'a>(
    results: impl IntoIterator<Item = (&'a CheckSpec, bool, Severity)>,
) -> Gate<'a> {
    let by: Vec<&CheckSpec> = results
        .into_iter()
        .filter(|(check, passed, severity)| stops_downstream(check.blocking, *passed, *severity))
        .map(|(check, ..)| check)
        .collect();
    if by.is_empty() {
        Gate::Open
    } else {
        Gate::Closed { failed_checks: by }
    }
}
