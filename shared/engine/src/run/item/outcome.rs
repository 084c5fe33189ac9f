//! [`ItemOutcome`].

use std::collections::BTreeMap;

use precip_core::{key::CheckKey, partitions::PartitionSet};

use crate::{
    asset::{AssetError, ErrorKind},
    run::checks::closed,
    state::{CheckEvaluation, PartitionRef},
};

/// How one item ended.
#[derive(Debug, Clone, Default)]
pub struct ItemOutcome {
    /// The partitions for which everything went well.
    pub succeeded: PartitionSet,
    /// The others: nothing that depends on them runs in this run.
    pub failed: PartitionSet,
    /// What was published. A partition can be published and count as failed: its data is there, and
    /// a blocking check found something wrong with it.
    pub materialized: Vec<PartitionRef>,
    /// What the checks found.
    pub checks: Vec<CheckEvaluation>,
    /// What went wrong.
    pub failures: Vec<ItemFailure>,
    /// The partitions that the caller is to try again, of an item that was
    /// [tried once](crate::run::RunSession::run_once).
    pub open: PartitionSet,
    /// Why those are to be tried again.
    pub again: Option<AssetError>,
    /// How many attempts it took; 0 when an earlier invocation had done everything.
    pub attempts: u32,
}

/// What went wrong with one partition.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemFailure {
    /// The partition, of an asset that the step makes or checks.
    pub target: PartitionRef,
    /// What it means for a retry.
    pub kind: ErrorKind,
    /// What went wrong.
    pub message: String,
    /// What led to it, nearest first.
    pub causes: Vec<String>,
    /// The blocking checks that found something wrong, if that is why it counts as failed.
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

/// Puts partitions down as succeeded, unless a blocking check found something wrong with them.
pub(super) fn close(outcome: &mut ItemOutcome, done: &PartitionSet, checks: Vec<CheckEvaluation>) {
    let mut closed_by: BTreeMap<u64, Vec<CheckKey>> = closed(&checks);
    closed_by.retain(|ordinal, _| done.contains(*ordinal));
    let stopped: PartitionSet = closed_by.keys().copied().collect();
    outcome.succeeded |= &(done - &stopped);
    outcome.failed |= &stopped;
    for (ordinal, by) in closed_by {
        let names: Vec<String> = by.iter().map(|check| format!("`{check}`")).collect();
        let found = checks
            .iter()
            .find(|found| found.target.ordinal == ordinal && by.contains(&found.check));
        if let Some(found) = found {
            let error = AssetError::terminal(format!("blocking check {} failed", names.join(", ")));
            let failure = ItemFailure::new(found.target.clone(), &error);
            outcome.failures.push(ItemFailure {
                checks: by,
                ..failure
            });
        }
    }
    outcome.checks.extend(checks);
}
