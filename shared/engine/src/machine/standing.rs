//! [`Standing`]: what of a plan failed, and what that holds back.

use std::collections::BTreeMap;

use precip_core::{
    key::{AssetKey, CheckKey},
    machine::Layout,
    partitions::PartitionSet,
    plan::{Lineage, Plan, Schedule, Step, StepId},
};

use crate::{
    machine::{Planner, PlannerError, work::Laid},
    run_id::RunId,
    state::{CheckEvaluation, Failure, PageRequest, SkipReason, Skipped, StateResult, StateStore},
};

/// How many failures are read at a time.
const PAGE: usize = 500;

/// What of a plan failed, and what that holds back.
#[derive(Debug, Default)]
pub(super) struct Standing {
    /// What failed, by step.
    pub(super) failed: BTreeMap<StepId, PartitionSet>,
    /// What does not run because of that, by step.
    pub(super) held: BTreeMap<StepId, PartitionSet>,
    /// The same, for the record.
    pub(super) skipped: Vec<Skipped>,
}

impl Standing {
    /// What is left to run of a step.
    pub(super) fn left(&self, step: StepId, set: &PartitionSet) -> PartitionSet {
        match self.held.get(&step) {
            Some(held) => set - held,
            None => set.clone(),
        }
    }

    pub(super) fn failures(&self) -> u64 {
        self.failed.values().map(PartitionSet::len).sum()
    }

    pub(super) fn holds(&self) -> u64 {
        self.held.values().map(PartitionSet::len).sum()
    }
}

/// Something that failed, for whatever reason.
struct Loss {
    step: StepId,
    ordinal: u64,
    reason: SkipReason,
}

impl Planner {
    /// Reads what failed in a run in the first `ended` stages of the layout, and follows what that
    /// holds back. It costs what the failures cost to read, however many items there are.
    pub(super) async fn standing(
        &self,
        laid: &Laid,
        ended: usize,
    ) -> Result<Standing, PlannerError> {
        let ended_steps = Ended {
            layout: &self.layout,
            plan: laid.plan(),
            ended,
        };
        let mut losses = Vec::new();
        for failure in failures(self.state.as_ref(), laid.run).await? {
            ended_steps.lose_asset(&failure, &mut losses);
        }
        for found in failed_checks(self.state.as_ref(), laid.run).await? {
            ended_steps.lose_check(&found, &mut losses);
        }
        let lineage = Lineage::new(self.definitions.graph(), laid.context());
        let mut standing = Standing::default();
        let mut schedule = Schedule::new(lineage, laid.plan())?;
        let nothing = PartitionSet::empty();
        let mut skipped: Vec<(StepId, PartitionSet, SkipReason)> = Vec::new();
        for loss in losses {
            let one = PartitionSet::single(loss.ordinal);
            let of_step = standing.failed.entry(loss.step).or_default();
            if !of_step.insert(loss.ordinal) {
                continue;
            }
            for held in schedule.settle(lineage, loss.step, &nothing, &one)? {
                skipped.push((held.step, held.partitions, loss.reason.clone()));
            }
        }
        for (id, partitions, reason) in skipped {
            // Of a batch, what failed is no less a failure for being made from the rest of it.
            let partitions = match standing.failed.get(&id) {
                Some(failed) => &partitions - failed,
                None => partitions,
            };
            if partitions.is_empty() {
                continue;
            }
            let assets = step_at(laid.plan(), id).assets.iter();
            standing.skipped.extend(assets.map(|asset| Skipped {
                asset: asset.clone(),
                partitions: partitions.clone(),
                reason: reason.clone(),
            }));
            *standing.held.entry(id).or_default() |= &partitions;
        }
        Ok(standing)
    }
}

pub(super) fn step_at(plan: &Plan, id: StepId) -> &Step {
    &plan.stages[id.stage].steps[id.step]
}

/// The steps of a plan that have run: those in the first stages of the layout.
struct Ended<'a> {
    layout: &'a Layout,
    plan: &'a Plan,
    ended: usize,
}

impl Ended<'_> {
    fn lose_asset(&self, failure: &Failure, losses: &mut Vec<Loss>) {
        let asset = &failure.target.asset;
        if !self.has_run(asset, None) {
            return;
        }
        let reason = SkipReason::UpstreamFailed {
            asset: asset.clone(),
            partition: failure.target.partition.clone(),
        };
        self.lose(failure.target.ordinal, &reason, losses, |step| {
            step.assets.contains(asset)
        });
    }

    fn lose_check(&self, found: &CheckEvaluation, losses: &mut Vec<Loss>) {
        if !self.has_run(&found.check.asset, Some(&found.check)) {
            return;
        }
        let reason = SkipReason::CheckFailed {
            check: found.check.clone(),
        };
        self.lose(found.target.ordinal, &reason, losses, |step| {
            step.checks.contains(&found.check)
        });
    }

    /// Whether the step that makes an asset, or runs a check, stands in a stage that has ended.
    fn has_run(&self, asset: &AssetKey, check: Option<&CheckKey>) -> bool {
        let mut stages = self.layout.stages.iter().take(self.ended);
        stages.any(|stage| {
            stage.steps.iter().any(|step| match check {
                Some(check) => step.checks.contains(check),
                None => step.assets.contains(asset),
            })
        })
    }

    fn lose(
        &self,
        ordinal: u64,
        reason: &SkipReason,
        losses: &mut Vec<Loss>,
        is_meant: impl Fn(&Step) -> bool,
    ) {
        for (id, stage, step) in self.plan.steps() {
            if is_meant(step) && stage.partitions.contains(ordinal) {
                losses.push(Loss {
                    step: id,
                    ordinal,
                    reason: reason.clone(),
                });
            }
        }
    }
}

async fn failures(state: &dyn StateStore, run: RunId) -> StateResult<Vec<Failure>> {
    let mut found = Vec::new();
    let mut page = PageRequest::first(PAGE);
    loop {
        let read = state.failures(run, &page).await?;
        found.extend(read.items);
        match read.next {
            Some(token) => page = page.after(token),
            None => return Ok(found),
        }
    }
}

async fn failed_checks(state: &dyn StateStore, run: RunId) -> StateResult<Vec<CheckEvaluation>> {
    let mut found = Vec::new();
    let mut page = PageRequest::first(PAGE);
    loop {
        let read = state.failed_checks(run, &page).await?;
        found.extend(read.items);
        match read.next {
            Some(token) => page = page.after(token),
            None => return Ok(found),
        }
    }
}
