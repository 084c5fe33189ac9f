//! [`ItemOutcome`].

use std::collections::BTreeMap;

use precip_core::{key::CheckKey, partitions::PartitionSet};

use crate::{
    asset::{AssetError, ErrorKind},
    run::checks::failed_blocking_checks,
    state::{CheckEvaluation, PartitionRef},
};

/// The outcome of an item.
#[derive(Debug, Clone, Default)]
pub struct ItemOutcome {
    /// The partitions that succeeded.
    pub succeeded: PartitionSet,
    /// The partitions that failed: their dependents are held back in this run.
    pub failed: PartitionSet,
    /// The published partitions. A partition can be published and count as failed, when a blocking
    /// check of it failed.
    pub materialized: Vec<PartitionRef>,
    /// The results of the checks.
    pub checks: Vec<CheckEvaluation>,
    /// The failures, one per partition.
    pub failures: Vec<ItemFailure>,
    /// The partitions that the caller must retry, after
    /// [one attempt](crate::run::RunSession::run_once).
    pub to_retry: PartitionSet,
    /// The error because of which those are retried.
    pub retry_cause: Option<AssetError>,
    /// Number of attempts; 0 when an earlier invocation had done everything.
    pub attempts: u32,
}

/// The failure of one partition.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemFailure {
    /// The partition, of an asset that the step makes or checks.
    pub target: PartitionRef,
    /// The kind of error, which decides about a retry.
    pub kind: ErrorKind,
    /// The error message.
    pub message: String,
    /// The causes of the error, nearest first.
    pub causes: Vec<String>,
    /// The failed blocking checks, if those are the failure.
    pub checks: Vec<CheckKey>,
}

impl ItemFailure {
    pub(super) fn new(target: PartitionRef, error: &AssetError) -> Self {
        Self {
            target,
            kind: error.kind(),
            message: error.message().to_owned(),
            causes: error.causes().to_vec(),
            checks: Vec::new(),
        }
    }
}

/// Adds finished partitions to an outcome: as failed where a blocking check of them failed, as
/// succeeded otherwise.
pub(super) fn add_finished(
    outcome: &mut ItemOutcome,
    done: &PartitionSet,
    checks: Vec<CheckEvaluation>,
) {
    let mut failed_checks: BTreeMap<u64, Vec<CheckKey>> = failed_blocking_checks(&checks);
    // A partition that failed itself is reported with its own error.
    failed_checks.retain(|ordinal, _| done.contains(*ordinal));
    let failed: PartitionSet = failed_checks.keys().copied().collect();
    outcome.succeeded |= &(done - &failed);
    outcome.failed |= &failed;
    for (ordinal, by) in failed_checks {
        let names: Vec<String> = by.iter().map(|check| format!("`{check}`")).collect();
        let evaluation = checks
            .iter()
            .find(|found| found.target.ordinal == ordinal && by.contains(&found.check));
        if let Some(evaluation) = evaluation {
            let error = AssetError::terminal(format!("blocking check {} failed", names.join(", ")));
            let failure = ItemFailure::new(evaluation.target.clone(), &error);
            outcome.failures.push(ItemFailure {
                checks: by,
                ..failure
            });
        }
    }
    outcome.checks.extend(checks);
}
