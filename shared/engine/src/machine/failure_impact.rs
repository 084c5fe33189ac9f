//! [`FailureImpact`]: the failed part of a plan, and the part that failures hold back.

use std::collections::BTreeMap;

use precip_core::{
    key::{AssetKey, CheckKey},
    machine::Layout,
    partitions::PartitionSet,
    plan::{Frontier, Lineage, Plan, Step, StepId},
};

use crate::{
    machine::{Planner, PlannerError, work::PlannedWork},
    run::step_at,
    run_id::RunId,
    state::{
        CheckEvaluation, FailedAttempt, PageRequest, SkipReason, SkippedPartitions, StateResult,
        StateStore,
    },
};

/// Number of failures that are read with one call.
const PAGE: usize = 500;

/// The failed part of a plan, and the part that failures hold back.
#[derive(Debug, Default)]
pub(super) struct FailureImpact {
    /// The failed partitions, by step.
    pub(super) failed: BTreeMap<StepId, PartitionSet>,
    /// The partitions that are held back, by step.
    pub(super) held_back: BTreeMap<StepId, PartitionSet>,
    /// The partitions that are held back, by asset and reason, as they are recorded.
    pub(super) skipped: Vec<SkippedPartitions>,
}

impl FailureImpact {
    /// Returns the partitions of a step that are not held back.
    pub(super) fn remaining(&self, step: StepId, set: &PartitionSet) -> PartitionSet {
        match self.held_back.get(&step) {
            Some(held) => set - held,
            None => set.clone(),
        }
    }

    pub(super) fn failed_count(&self) -> u64 {
        self.failed.values().map(PartitionSet::len).sum()
    }

    pub(super) fn held_back_count(&self) -> u64 {
        self.held_back.values().map(PartitionSet::len).sum()
    }
}

/// A partition of a step that failed itself, or whose blocking check failed.
struct FailedPartition {
    step: StepId,
    ordinal: u64,
    reason: SkipReason,
}

impl Planner {
    /// Reads the failures of a run in the first `ended` stages of the layout, and derives what they
    /// hold back. The cost grows with the number of failures, not of items.
    pub(super) async fn failure_impact(
        &self,
        planned: &PlannedWork,
        ended: usize,
    ) -> Result<FailureImpact, PlannerError> {
        let ended_stages = EndedStages {
            layout: &self.layout,
            plan: planned.plan(),
            ended,
        };
        let mut failed_partitions = Vec::new();
        for failure in read_failures(self.state.as_ref(), planned.run).await? {
            ended_stages.add_failed_asset(&failure, &mut failed_partitions);
        }
        for evaluation in read_failed_checks(self.state.as_ref(), planned.run).await? {
            ended_stages.add_failed_check(&evaluation, &mut failed_partitions);
        }
        let lineage = Lineage::new(self.definitions.graph(), planned.context());
        let mut impact = FailureImpact::default();
        let mut frontier = Frontier::new(lineage, planned.plan())?;
        let nothing = PartitionSet::empty();
        let mut skipped: Vec<(StepId, PartitionSet, SkipReason)> = Vec::new();
        // Each failure is followed downstream once; the first one names the reason.
        for failed in failed_partitions {
            let one = PartitionSet::single(failed.ordinal);
            let of_step = impact.failed.entry(failed.step).or_default();
            if !of_step.insert(failed.ordinal) {
                continue;
            }
            for held in frontier.record_outcome(lineage, failed.step, &nothing, &one)? {
                skipped.push((held.step, held.partitions, failed.reason.clone()));
            }
        }
        for (id, partitions, reason) in skipped {
            // In a batch of one asset's own history, a partition that failed itself counts as failed
            // although an earlier one would hold it back.
            let held_back = match impact.failed.get(&id) {
                Some(failed) => &partitions - failed,
                None => partitions,
            };
            if held_back.is_empty() {
                continue;
            }
            let assets = step_at(planned.plan(), id).assets.iter();
            impact.skipped.extend(assets.map(|asset| SkippedPartitions {
                asset: asset.clone(),
                partitions: held_back.clone(),
                reason: reason.clone(),
            }));
            *impact.held_back.entry(id).or_default() |= &held_back;
        }
        Ok(impact)
    }
}

/// The steps of a plan that have run: those in the first `ended` stages of the layout.
struct EndedStages<'a> {
    layout: &'a Layout,
    plan: &'a Plan,
    ended: usize,
}

impl EndedStages<'_> {
    fn add_failed_asset(
        &self,
        failure: &FailedAttempt,
        failed_partitions: &mut Vec<FailedPartition>,
    ) {
        let asset = &failure.target.asset;
        if !self.has_run(asset, None) {
            return;
        }
        let reason = SkipReason::UpstreamFailed {
            asset: asset.clone(),
            partition: failure.target.partition.clone(),
        };
        self.add_failures(failure.target.ordinal, &reason, failed_partitions, |step| {
            step.assets.contains(asset)
        });
    }

    fn add_failed_check(
        &self,
        found: &CheckEvaluation,
        failed_partitions: &mut Vec<FailedPartition>,
    ) {
        if !self.has_run(&found.check.asset, Some(&found.check)) {
            return;
        }
        let reason = SkipReason::CheckFailed {
            check: found.check.clone(),
        };
        self.add_failures(found.target.ordinal, &reason, failed_partitions, |step| {
            step.checks.contains(&found.check)
        });
    }

    /// Returns whether the step that makes an asset, or runs a check, is in an ended stage.
    fn has_run(&self, asset: &AssetKey, check: Option<&CheckKey>) -> bool {
        let mut stages = self.layout.stages.iter().take(self.ended);
        stages.any(|stage| {
            stage.steps.iter().any(|step| match check {
                Some(check) => step.checks.contains(check),
                None => step.assets.contains(asset),
            })
        })
    }

    fn add_failures(
        &self,
        ordinal: u64,
        reason: &SkipReason,
        failed_partitions: &mut Vec<FailedPartition>,
        is_affected: impl Fn(&Step) -> bool,
    ) {
        // An op may be in several stages of a plan: each of them has its own partitions.
        for (id, stage, step) in self.plan.steps() {
            if is_affected(step) && stage.partitions.contains(ordinal) {
                failed_partitions.push(FailedPartition {
                    step: id,
                    ordinal,
                    reason: reason.clone(),
                });
            }
        }
    }
}

async fn read_failures(state: &dyn StateStore, run: RunId) -> StateResult<Vec<FailedAttempt>> {
    let mut found = Vec::new();
    let mut page = PageRequest::first(PAGE);
    loop {
        let read = state.run_failures(run, &page).await?;
        found.extend(read.items);
        match read.next {
            Some(token) => page = page.next_page(token),
            None => return Ok(found),
        }
    }
}

async fn read_failed_checks(
    state: &dyn StateStore,
    run: RunId,
) -> StateResult<Vec<CheckEvaluation>> {
    let mut found = Vec::new();
    let mut page = PageRequest::first(PAGE);
    loop {
        let read = state.run_failed_checks(run, &page).await?;
        found.extend(read.items);
        match read.next {
            Some(token) => page = page.next_page(token),
            None => return Ok(found),
        }
    }
}
