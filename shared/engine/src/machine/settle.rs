//! What a wave has come to.

use precip_core::{machine::StageWork, partitions::PartitionSet, plan::StepId};

use crate::{
    asset::ErrorKind,
    machine::{
        Planner, PlannerError,
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
    /// Finds out what a wave that has ended came to: what failed is on record, and what left no
    /// trace is put on record as lost. Says on the record what is held back.
    pub(super) async fn settle(&self, laid: &Laid, wave: u32) -> Result<Standing, PlannerError> {
        let before = self.standing(laid, wave).await?;
        let lost = self.lost(laid, &before, wave).await?;
        let standing = match lost {
            0 => before,
            _ => self.standing(laid, wave).await?,
        };
        if !standing.skipped.is_empty() {
            self.state.skip(laid.run, standing.skipped.clone()).await?;
        }
        Ok(standing)
    }

    /// Puts on record what a wave should have made and left no trace of: its invocation was lost with
    /// everything that would have said so. Answers how many there are.
    ///
    /// Whatever the run is known to have made costs nothing here; what the store does not know yet is
    /// looked up one by one.
    async fn lost(
        &self,
        laid: &Laid,
        standing: &Standing,
        wave: u32,
    ) -> Result<usize, PlannerError> {
        let made = self.state.made(laid.run).await?;
        let work = self.lay_out(laid, standing)?;
        let mut lost = 0;
        for stage in work.stages {
            if self.layout.stages[stage.stage].wave == wave {
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
