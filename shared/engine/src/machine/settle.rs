//! What has come of the stages that ended.

use std::ops::Range;

use precip_core::{
    machine::StageWork,
    partitions::PartitionSet,
    plan::{PlanError, StepId},
};

use crate::{
    asset::ErrorKind,
    machine::{
        Planner, PlannerError, Settle, WaveDocument,
        standing::{Standing, step_at},
        work::Laid,
    },
    state::{
        CheckEvaluation, CheckOutcome, Failure, PartitionRef, ReadConsistency, RunMade, StateResult,
    },
};

/// How many records are read with one call.
const CHUNK: usize = 500;

impl Planner {
    /// Settles what has ended, and hands out what follows.
    pub(super) async fn settle(&self, settle: &Settle) -> Result<WaveDocument, PlannerError> {
        let laid = self.laid(settle.run, settle.redrive).await?;
        let ended = self.just_ended(settle)?;
        let standing = self.come_to(&laid, ended.clone()).await?;
        let work = self.lay_out(&laid, &standing)?;
        self.next(&laid, work, ended.end, settle.mode, settle.looped)
            .await
    }

    /// The places of the stages that have ended since the last time.
    fn just_ended(&self, settle: &Settle) -> Result<Range<usize>, PlannerError> {
        if let Some(name) = &settle.stage {
            let stage = self.layout.stage(name.as_str());
            let (place, _) = stage.ok_or_else(|| PlanError::Stale {
                what: "stage",
                name: name.to_string(),
            })?;
            return Ok(place..place + 1);
        }
        let stages = &self.layout.stages;
        let start = stages.partition_point(|stage| stage.wave < settle.wave);
        let end = stages.partition_point(|stage| stage.wave <= settle.wave);
        Ok(start..end)
    }

    /// Finds out what stages that have ended came to: what failed is on record, and what left no
    /// trace is put on record as lost. Says on the record what is held back.
    pub(super) async fn come_to(
        &self,
        laid: &Laid,
        ended: Range<usize>,
    ) -> Result<Standing, PlannerError> {
        let known = self.standing(laid, ended.end).await?;
        let lost = self.lost(laid, &known, ended.clone()).await?;
        let standing = match lost {
            0 => known,
            _ => self.standing(laid, ended.end).await?,
        };
        if !standing.skipped.is_empty() {
            self.state.skip(laid.run, standing.skipped.clone()).await?;
        }
        Ok(standing)
    }

    /// Puts on record what stages should have made and left no trace of: its invocation was lost with
    /// everything that would have said so. Answers how many there are.
    ///
    /// Whatever the run is known to have made costs nothing here; what the store does not know yet is
    /// looked up one by one.
    async fn lost(
        &self,
        laid: &Laid,
        standing: &Standing,
        ended: Range<usize>,
    ) -> Result<usize, PlannerError> {
        let made = self.state.made(laid.run).await?;
        let work = self.lay_out(laid, standing)?;
        let mut lost = 0;
        for stage in work.stages {
            if ended.contains(&stage.stage) {
                lost += self.lost_of(laid, standing, &made, stage).await?;
            }
        }
        Ok(lost)
    }

    async fn lost_of(
        &self,
        laid: &Laid,
        standing: &Standing,
        made: &RunMade,
        work: StageWork,
    ) -> Result<usize, PlannerError> {
        let mut lost = 0;
        for (id, stage, step) in laid.plan().steps() {
            let here = self.layout.stages[work.stage].steps.iter();
            let mut here = here.filter(|laid_out| laid_out.op == step.op);
            let nothing = PartitionSet::empty();
            let failed = standing.failed.get(&id).unwrap_or(&nothing);
            let expected = &standing.left(id, &stage.partitions) - failed;
            for laid_out in here.by_ref() {
                let assets = step.assets.iter().filter(|a| laid_out.assets.contains(a));
                for asset in assets {
                    let unknown = &expected - made.assets.get(asset).unwrap_or(&nothing);
                    let targets = self.targets(laid.context(), asset, &unknown);
                    lost += self.lost_assets(laid, &targets).await?;
                }
                let checks = step.checks.iter().filter(|c| laid_out.checks.contains(c));
                for check in checks.filter(|_| step.assets.is_empty()) {
                    let unknown = &expected - made.checks.get(check).unwrap_or(&nothing);
                    let targets = self.targets(laid.context(), &check.asset, &unknown);
                    for target in &targets {
                        lost += self.lost_check(laid, id, target, check).await?;
                    }
                }
            }
        }
        Ok(lost)
    }

    async fn lost_assets(&self, laid: &Laid, targets: &[PartitionRef]) -> StateResult<usize> {
        let mut failures = Vec::new();
        for chunk in targets.chunks(CHUNK) {
            let latest = self
                .state
                .latest_many(chunk, ReadConsistency::Strong)
                .await?;
            for (target, latest) in chunk.iter().zip(latest) {
                let done = latest.as_ref().is_some_and(|l| self.is_settled(laid, l));
                if !done {
                    failures.push(Failure {
                        target: target.clone(),
                        run: laid.run,
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
            self.state.fail(failures).await?;
        }
        Ok(count)
    }

    async fn lost_check(
        &self,
        laid: &Laid,
        id: StepId,
        target: &PartitionRef,
        check: &precip_core::key::CheckKey,
    ) -> StateResult<usize> {
        let latest = self.state.latest_checks(target).await?;
        let known = |found: &CheckEvaluation| found.check == *check && found.run >= laid.run;
        if latest.iter().any(known) {
            return Ok(0);
        }
        let evaluation = self.unevaluated(laid.run, target, check, LOST.to_owned());
        self.state.record_checks(vec![evaluation]).await?;
        tracing::warn!(op = %step_at(laid.plan(), id).op, %target, "a check left no trace");
        Ok(1)
    }

    /// What goes on record of a check that could not be evaluated.
    pub(super) fn unevaluated(
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

/// What is said of an invocation that left no trace.
const LOST: &str = "the invocation left no trace: it was lost, or its execution was stopped; \
                    `retry` makes it again";
