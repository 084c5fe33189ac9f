//! [`ItemOutcome`].

use std::collections::BTreeMap;

use precip_core::{
    key::{AssetKey, CheckKey},
    partitions::PartitionSet,
    plan::{LossCause, Step, StepOutcome},
};

use crate::{
    asset::{AssetError, ErrorKind},
    run::{checks::failed_blocking_checks, skipped_input::SkippedInput},
    state::{CheckEvaluation, PartitionRef, UntriedPartitions},
};

/// The outcome of an item.
#[derive(Debug, Clone, Default)]
pub struct ItemOutcome {
    /// The partitions that succeeded.
    pub succeeded: PartitionSet,
    /// The partitions of which an asset failed, or a blocking check.
    pub failed: PartitionSet,
    /// The partitions of which nothing was made, because there is nothing to make.
    pub skipped: PartitionSet,
    /// The published partitions. A partition can be published and count as failed, when a blocking
    /// check of it failed.
    pub materialized: Vec<PartitionRef>,
    /// The partitions that the function had nothing to make for.
    pub nothing_made: Vec<PartitionRef>,
    /// The partitions that were not tried, because they need something that is skipped.
    pub untried: Vec<UntriedPartitions>,
    /// The partitions of each asset that downstream steps miss.
    losses: BTreeMap<(AssetKey, LossCause), PartitionSet>,
    /// The results of the checks.
    pub checks: Vec<CheckEvaluation>,
    /// The failures, one per (asset, partition) pair.
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

impl ItemOutcome {
    /// Returns the outcome for the plan's [`Frontier`](precip_core::plan::Frontier).
    pub fn step_outcome(&self, step: &Step) -> StepOutcome {
        let mut outcome = StepOutcome {
            succeeded: self.succeeded.clone(),
            failed: self.failed.clone(),
            skipped: self.skipped.clone(),
            losses: Vec::new(),
        };
        if step.assets.is_empty() {
            // A step that only checks loses nothing but its verdict.
            outcome.losses = StepOutcome::new(PartitionSet::empty(), self.failed.clone()).losses;
        }
        for ((asset, cause), partitions) in &self.losses {
            outcome.add_loss(asset.clone(), partitions.clone(), *cause);
        }
        outcome
    }

    /// Adds an asset's partition that downstream steps miss.
    pub(super) fn add_loss(&mut self, step: &Step, target: &PartitionRef, cause: LossCause) {
        if step.assets.contains(&target.asset) {
            let losses = self.losses.entry((target.asset.clone(), cause));
            losses.or_default().insert(target.ordinal);
        }
    }

    /// Adds partitions that were not tried.
    pub(super) fn add_untried(&mut self, step: &Step, input: &SkippedInput) {
        self.skipped |= &input.partitions;
        self.untried.extend(input.to_untried(step));
        for asset in &step.assets {
            let losses = self.losses.entry((asset.clone(), LossCause::Skipped));
            *losses.or_default() |= &input.partitions;
        }
    }

    /// Adds partitions that the function had nothing to make for, and returns those of which it made
    /// no other asset either.
    pub(super) fn add_nothing_made(
        &mut self,
        step: &Step,
        skipped: Vec<PartitionRef>,
    ) -> PartitionSet {
        let mut assets: BTreeMap<u64, usize> = BTreeMap::new();
        for target in &skipped {
            *assets.entry(target.ordinal).or_default() += 1;
            self.add_loss(step, target, LossCause::Skipped);
        }
        self.nothing_made.extend(skipped);
        let whole = assets
            .into_iter()
            .filter(|(_, count)| *count == step.assets.len());
        whole.map(|(ordinal, _)| ordinal).collect()
    }
}

/// Adds finished partitions to an outcome: as failed where a blocking check of one of their assets
/// failed, as succeeded otherwise. `checks` may hold results of other partitions, which failed
/// themselves: their checks still decide about the assets that were published.
pub(super) fn add_finished(
    outcome: &mut ItemOutcome,
    step: &Step,
    done: &PartitionSet,
    checks: Vec<CheckEvaluation>,
) {
    let failed_checks = failed_blocking_checks(&checks);
    let failed = failed_checks.keys().map(|(ordinal, _)| *ordinal);
    let failed = &failed.collect::<PartitionSet>() & done;
    outcome.succeeded |= &(done - &failed);
    outcome.failed |= &failed;
    for ((ordinal, asset), by) in failed_checks {
        let names: Vec<String> = by.iter().map(|check| format!("`{check}`")).collect();
        let evaluation = checks.iter().find(|found| {
            (found.target.ordinal, &found.target.asset) == (ordinal, &asset)
                && by.contains(&found.check)
        });
        if let Some(evaluation) = evaluation {
            outcome.add_loss(step, &evaluation.target, LossCause::Failed);
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
