//! [`FailureImpact`]: the failed and the skipped part of a plan, and what follows from these.

use std::collections::{BTreeMap, BTreeSet};

use precip_core::{
    key::{AssetKey, CheckKey},
    machine::Layout,
    partitions::PartitionSet,
    plan::{Frontier, Lineage, Loss, LossCause, Plan, Step, StepId, StepOutcome, Withheld},
};

use crate::{
    machine::{Planner, PlannerError, work::PlannedWork},
    run::step_at,
    state::{
        CheckEvaluation, FailedAttempt, Page, PageRequest, PartitionRef, StateResult,
        UntriedPartitions, UntriedReason,
    },
};

/// Number of failures that are read with one call.
const PAGE: usize = 500;

/// The failed and the skipped part of a plan, and the part that follows from these.
#[derive(Debug, Default)]
pub(super) struct FailureImpact {
    /// The failed partitions, by step.
    pub(super) failed: BTreeMap<StepId, PartitionSet>,
    /// The partitions that are held back, by step.
    pub(super) held_back: BTreeMap<StepId, PartitionSet>,
    /// The partitions that are skipped because they need something that is skipped, by step.
    pub(super) passed_over: BTreeMap<StepId, PartitionSet>,
    /// The partitions of both kinds, by asset and reason, as they are recorded.
    pub(super) untried: Vec<UntriedPartitions>,
    /// The partitions for which an invocation recorded that there is nothing to make.
    pub(super) skipped: BTreeMap<AssetKey, PartitionSet>,
}

impl FailureImpact {
    /// Returns the partitions of a step that are neither held back nor passed over.
    pub(super) fn remaining(&self, step: StepId, set: &PartitionSet) -> PartitionSet {
        set - &self.untried_partitions(step)
    }

    /// Returns the partitions of a step that are held back or passed over.
    pub(super) fn untried_partitions(&self, step: StepId) -> PartitionSet {
        let sets = [&self.held_back, &self.passed_over];
        let sets = sets.into_iter().filter_map(|sets| sets.get(&step));
        sets.fold(PartitionSet::empty(), |all, set| &all | set)
    }

    pub(super) fn failed_count(&self) -> u64 {
        self.failed.values().map(PartitionSet::len).sum()
    }

    pub(super) fn held_back_count(&self) -> u64 {
        self.held_back.values().map(PartitionSet::len).sum()
    }
}

/// A partition that downstream steps miss: the asset failed, a blocking check of it did, or there was
/// nothing to make.
struct LostPartition {
    step: StepId,
    /// The asset; `None` for a step that only checks.
    asset: Option<AssetKey>,
    ordinal: u64,
    cause: LossCause,
    reason: UntriedReason,
}

impl Planner {
    /// Reads the failures and the skips of a run in the first `ended` stages of the layout, and
    /// derives what they hold back and pass over. The cost grows with their number, not with that of
    /// the items.
    pub(super) async fn failure_impact(
        &self,
        planned: &PlannedWork,
        ended: usize,
    ) -> Result<FailureImpact, PlannerError> {
        let mut ended_stages = EndedStages {
            layout: &self.layout,
            plan: planned.plan(),
            ended,
            lost: Vec::new(),
        };
        let (state, run) = (self.state.as_ref(), planned.run);
        let mut impact = FailureImpact::default();
        for failure in read_all(async |page| state.run_failures(run, page).await).await? {
            ended_stages.add_failed_asset(&failure);
        }
        for evaluation in read_all(async |page| state.run_failed_checks(run, page).await).await? {
            ended_stages.add_failed_check(&evaluation);
        }
        for skip in read_all(async |page| state.run_skipped_attempts(run, page).await).await? {
            let PartitionRef { asset, ordinal, .. } = skip.target.clone();
            ended_stages.add_skipped_asset(&skip.target);
            impact.skipped.entry(asset).or_default().insert(ordinal);
        }
        // Invocations that found something skipped that an earlier run was to make.
        for untried in state.run_untried(run).await? {
            if untried.reason.is_skip() {
                ended_stages.add_untried(&untried);
                *impact.skipped.entry(untried.asset).or_default() |= &untried.partitions;
            }
        }
        let lineage = Lineage::new(self.definitions.graph(), planned.context());
        let mut frontier = Frontier::new(lineage, planned.plan())?;
        let mut withheld: Vec<(Withheld, UntriedReason)> = Vec::new();
        let mut followed = BTreeSet::new();
        let mut skip_reasons = BTreeMap::new();
        // Each loss is followed downstream once; the first one names the reason.
        for lost in ended_stages.lost {
            if !followed.insert((lost.step, lost.asset.clone(), lost.ordinal, lost.cause)) {
                continue;
            }
            if let (LossCause::Skipped, Some(asset)) = (lost.cause, &lost.asset) {
                skip_reasons.insert((asset.clone(), lost.ordinal), lost.reason.clone());
            }
            let one = PartitionSet::single(lost.ordinal);
            let mut outcome = StepOutcome {
                losses: vec![Loss {
                    asset: lost.asset,
                    partitions: one.clone(),
                    cause: lost.cause,
                }],
                ..StepOutcome::default()
            };
            // A skip of one asset says nothing about the others that its op makes.
            if lost.cause == LossCause::Failed {
                *impact.failed.entry(lost.step).or_default() |= &one;
                outcome.failed = one;
            }
            let found = frontier.record_outcome(lineage, lost.step, &outcome)?;
            withheld.extend(found.into_iter().map(|found| (found, lost.reason.clone())));
        }
        // What failed is known by now, so the rest of what needs something skipped is skipped.
        for found in frontier.skip_marked(lineage)? {
            let reason = found
                .source
                .as_ref()
                .and_then(|source| skip_reasons.get(source));
            if let Some(reason) = reason.cloned() {
                withheld.push((found, reason));
            }
        }
        for (
            Withheld {
                step: id,
                partitions,
                cause,
                ..
            },
            reason,
        ) in withheld
        {
            // In a batch of one asset's own history, a partition that failed itself counts as failed
            // although an earlier one would hold it back.
            let partitions = match impact.failed.get(&id) {
                Some(failed) => &partitions - failed,
                None => partitions,
            };
            if partitions.is_empty() {
                continue;
            }
            let assets = step_at(planned.plan(), id).assets.iter();
            impact.untried.extend(assets.map(|asset| UntriedPartitions {
                asset: asset.clone(),
                partitions: partitions.clone(),
                reason: reason.clone(),
            }));
            let sets = match cause {
                LossCause::Failed => &mut impact.held_back,
                LossCause::Skipped => &mut impact.passed_over,
            };
            *sets.entry(id).or_default() |= &partitions;
        }
        Ok(impact)
    }
}

/// The steps of a plan that have run: those in the first `ended` stages of the layout.
struct EndedStages<'a> {
    layout: &'a Layout,
    plan: &'a Plan,
    ended: usize,
    /// The partitions that their downstream steps miss.
    lost: Vec<LostPartition>,
}

impl EndedStages<'_> {
    fn add_failed_asset(&mut self, failure: &FailedAttempt) {
        let PartitionRef {
            asset, partition, ..
        } = &failure.target;
        let reason = UntriedReason::UpstreamFailed {
            asset: asset.clone(),
            partition: partition.clone(),
        };
        self.add_lost_asset(&failure.target, LossCause::Failed, &reason);
    }

    fn add_skipped_asset(&mut self, target: &PartitionRef) {
        let reason = UntriedReason::UpstreamSkipped {
            asset: target.asset.clone(),
            partition: target.partition.clone(),
        };
        self.add_lost_asset(target, LossCause::Skipped, &reason);
    }

    fn add_untried(&mut self, untried: &UntriedPartitions) {
        for ordinal in untried.partitions.iter() {
            let target = PartitionRef {
                asset: untried.asset.clone(),
                partition: None,
                ordinal,
            };
            self.add_lost_asset(&target, LossCause::Skipped, &untried.reason);
        }
    }

    fn add_lost_asset(&mut self, target: &PartitionRef, cause: LossCause, reason: &UntriedReason) {
        let asset = &target.asset;
        if !self.has_run(asset, None) {
            return;
        }
        self.add_lost(target.ordinal, Some(asset), cause, reason, |step| {
            step.assets.contains(asset)
        });
    }

    fn add_failed_check(&mut self, found: &CheckEvaluation) {
        let asset = &found.check.asset;
        if !self.has_run(asset, Some(&found.check)) {
            return;
        }
        let reason = UntriedReason::CheckFailed {
            check: found.check.clone(),
        };
        // Of an op that makes several assets, only the checked one is lost.
        self.add_lost(
            found.target.ordinal,
            Some(asset),
            LossCause::Failed,
            &reason,
            |step| step.checks.contains(&found.check),
        );
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

    fn add_lost(
        &mut self,
        ordinal: u64,
        asset: Option<&AssetKey>,
        cause: LossCause,
        reason: &UntriedReason,
        is_affected: impl Fn(&Step) -> bool,
    ) {
        // An op may be in several stages of a plan: each of them has its own partitions.
        for (id, stage, step) in self.plan.steps() {
            if is_affected(step) && stage.partitions.contains(ordinal) {
                self.lost.push(LostPartition {
                    step: id,
                    asset: asset.filter(|asset| step.assets.contains(asset)).cloned(),
                    ordinal,
                    cause,
                    reason: reason.clone(),
                });
            }
        }
    }
}

/// Reads every page of a list.
async fn read_all<T>(
    mut read_page: impl AsyncFnMut(&PageRequest) -> StateResult<Page<T>>,
) -> StateResult<Vec<T>> {
    let mut found = Vec::new();
    let mut page = PageRequest::first(PAGE);
    loop {
        let read = read_page(&page).await?;
        found.extend(read.items);
        match read.next {
            Some(token) => page = page.next_page(token),
            None => return Ok(found),
        }
    }
}
