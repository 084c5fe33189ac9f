//! Settling of stages that have ended: lost work and held-back partitions are recorded, and the next
//! work is handed out.

use std::ops::Range;

use precip_core::{
    key::AssetKey,
    machine::{LayoutStage, StageWork},
    partitions::{PartitionContext, PartitionSet},
    plan::StepId,
};

use crate::{
    asset::ErrorKind,
    machine::{
        Planner, PlannerError, Settle, WaveDocument, error::stale_plan,
        failure_impact::FailureImpact, work::PlannedWork,
    },
    run::{partition_refs, step_at},
    state::{
        CheckEvaluation, CheckOutcome, FailedAttempt, PartitionRef, PublishedByRun,
        ReadConsistency, StateResult,
    },
};

/// Number of records that are read with one call.
const CHUNK: usize = 500;

impl Planner {
    /// Settles the wave or stage that has ended, and hands out the next work.
    pub(super) async fn settle_wave(&self, settle: &Settle) -> Result<WaveDocument, PlannerError> {
        let planned = self.read_planned_work(settle.run, settle.redrive).await?;
        let ended = self.ended_stages(settle)?;
        let impact = self.settle_stages(&planned, ended.clone()).await?;
        let work = self.remaining_work(&planned, &impact)?;
        let functions = settle.functions_at_once.unwrap_or(self.functions_at_once);
        let mode = settle.mode;
        self.next_document(&planned, work, ended.end, mode, functions, settle.looped)
            .await
    }

    /// Returns the indices of the stages that have ended and are not settled yet.
    fn ended_stages(&self, settle: &Settle) -> Result<Range<usize>, PlannerError> {
        if let Some(name) = &settle.stage {
            let stage = self.layout.stage_named(name.as_str());
            let (index, _) = stage.ok_or_else(|| stale_plan("stage", name))?;
            return Ok(index..index + 1);
        }
        let stages = &self.layout.stages;
        let start = stages.partition_point(|stage| stage.wave < settle.wave);
        let end = stages.partition_point(|stage| stage.wave <= settle.wave);
        Ok(start..end)
    }

    /// Settles stages that have ended: records partitions without any outcome as lost, and records
    /// the partitions that failures hold back and skips pass over.
    pub(super) async fn settle_stages(
        &self,
        planned: &PlannedWork,
        ended: Range<usize>,
    ) -> Result<FailureImpact, PlannerError> {
        let recorded = self.failure_impact(planned, ended.end).await?;
        let lost = self
            .record_lost_work(planned, &recorded, ended.clone())
            .await?;
        // Lost work is a failure too, and holds back its own dependents.
        let impact = match lost {
            0 => recorded,
            _ => self.failure_impact(planned, ended.end).await?,
        };
        // A skip is recorded once all that the partition is made from has ended: until then a failure may
        // hold it back.
        let stages = &self.layout.stages;
        let next_wave = stages.get(ended.end).map(|stage| stage.wave);
        let mut untried = impact.untried.clone();
        untried.retain(|one| {
            let makes = |stage: &&LayoutStage| {
                let mut steps = stage.steps.iter();
                steps.any(|step| step.assets.contains(&one.asset))
            };
            let mut own = stages.iter().filter(makes);
            let all_ended = |next| own.all(|stage| stage.wave <= next);
            !one.reason.is_skip() || next_wave.is_none_or(all_ended)
        });
        if !untried.is_empty() {
            self.state.record_untried(planned.run, untried).await?;
        }
        Ok(impact)
    }

    /// Records as lost the partitions that stages should have published and that have no recorded
    /// outcome: their invocation was lost before it could record anything. Returns their number.
    ///
    /// Partitions in the run's published index cost nothing here; the others are looked up one by
    /// one, since the index may lag or be empty.
    async fn record_lost_work(
        &self,
        planned: &PlannedWork,
        impact: &FailureImpact,
        ended: Range<usize>,
    ) -> Result<usize, PlannerError> {
        let made = self.state.published_by(planned.run).await?;
        let work = self.remaining_work(planned, impact)?;
        let mut lost = 0;
        for stage in work.stages {
            if ended.contains(&stage.stage) {
                lost += self
                    .record_lost_in_stage(planned, impact, &made, stage)
                    .await?;
            }
        }
        Ok(lost)
    }

    async fn record_lost_in_stage(
        &self,
        planned: &PlannedWork,
        impact: &FailureImpact,
        made: &PublishedByRun,
        work: StageWork,
    ) -> Result<usize, PlannerError> {
        let mut lost = 0;
        for (id, stage, step) in planned.plan().steps() {
            let stage_steps = self.layout.stages[work.stage].steps.iter();
            let nothing = PartitionSet::empty();
            let failed = impact.failed.get(&id).unwrap_or(&nothing);
            // Neither failed, held back nor passed over: these must have been published, or skipped.
            let expected = &impact.remaining(id, &stage.partitions) - failed;
            for layout_step in stage_steps.filter(|layout_step| layout_step.op == step.op) {
                let assets = step
                    .assets
                    .iter()
                    .filter(|asset| layout_step.assets.contains(asset));
                for asset in assets {
                    let mut unknown = &expected - made.assets.get(asset).unwrap_or(&nothing);
                    unknown -= impact.skipped.get(asset).unwrap_or(&nothing);
                    let targets = self.partition_refs(planned.context(), asset, &unknown);
                    lost += self.record_lost_assets(planned, &targets).await?;
                }
                let checks = step
                    .checks
                    .iter()
                    .filter(|check| layout_step.checks.contains(check));
                for check in checks.filter(|_| step.assets.is_empty()) {
                    let unknown = &expected - made.checks.get(check).unwrap_or(&nothing);
                    let targets = self.partition_refs(planned.context(), &check.asset, &unknown);
                    for target in &targets {
                        lost += self.record_lost_check(planned, id, target, check).await?;
                    }
                }
            }
        }
        Ok(lost)
    }

    async fn record_lost_assets(
        &self,
        planned: &PlannedWork,
        targets: &[PartitionRef],
    ) -> StateResult<usize> {
        let mut failures = Vec::new();
        for chunk in targets.chunks(CHUNK) {
            let latest = self
                .state
                .latest_materializations(chunk, ReadConsistency::Strong)
                .await?;
            for (target, latest) in chunk.iter().zip(latest) {
                let latest = latest.as_ref();
                if !latest.is_some_and(|latest| planned.has_outcome(latest)) {
                    failures.push(FailedAttempt {
                        target: target.clone(),
                        run: planned.run,
                        attempt: 1,
                        kind: ErrorKind::Retryable,
                        message: LOST.to_owned(),
                        causes: Vec::new(),
                        will_retry: false,
                        at: self.clock.now(),
                    });
                }
            }
        }
        let count = failures.len();
        if count > 0 {
            self.state.record_failures(failures).await?;
        }
        Ok(count)
    }

    async fn record_lost_check(
        &self,
        planned: &PlannedWork,
        id: StepId,
        target: &PartitionRef,
        check: &precip_core::key::CheckKey,
    ) -> StateResult<usize> {
        let latest = self.state.latest_checks(target).await?;
        let known = |found: &CheckEvaluation| found.check == *check && found.run >= planned.run;
        if latest.iter().any(known) {
            return Ok(0);
        }
        let evaluation = self.errored_evaluation(planned.run, target, check, LOST.to_owned());
        self.state.record_checks(vec![evaluation]).await?;
        tracing::warn!(op = %step_at(planned.plan(), id).op, %target, "a check left no trace");
        Ok(1)
    }

    /// Returns the evaluation that records a check as errored.
    pub(super) fn errored_evaluation(
        &self,
        run: crate::run_id::RunId,
        target: &PartitionRef,
        check: &precip_core::key::CheckKey,
        message: String,
    ) -> CheckEvaluation {
        let graph = self.definitions.graph();
        let blocking = graph.check_id(check).map(|id| graph.check(id).blocking);
        CheckEvaluation {
            check: check.clone(),
            target: target.clone(),
            run,
            attempt: 1,
            outcome: CheckOutcome::Errored,
            severity: precip_core::spec::Severity::Error,
            blocking: blocking.unwrap_or_default(),
            description: Some(message),
            metadata: precip_core::metadata::Metadata::new(),
            at: self.clock.now(),
        }
    }
}

impl Planner {
    /// Returns the keys of some partitions of an asset in the state store.
    pub(super) fn partition_refs(
        &self,
        context: &PartitionContext,
        asset: &AssetKey,
        set: &PartitionSet,
    ) -> Vec<PartitionRef> {
        partition_refs(self.definitions.graph(), context, asset, set)
    }
}

/// The message of a failure that is recorded for lost work.
const LOST: &str = "the invocation left no trace: it was lost, or its execution was stopped; \
                    `retry` runs it again";
