//! Putting down what the materializer could not.

use crate::{
    asset::ErrorKind,
    machine::{CaughtError, ItemDocument, Planner, PlannerError, RecordRequest, work::Laid},
    state::{
        CheckOutcome, Event, Failure, PageRequest, PartitionRef, ReadConsistency, StateResult,
    },
};
use precip_core::{key::CheckKey, partitions::PartitionSet, plan::PlanError};

/// The error of a step that was not tried, since what it is made from failed.
const HELD: &str = "Precip.Held";

/// How many events of a partition are looked at for the attempts of a run.
const EVENTS: usize = 20;

impl Planner {
    /// Puts down that a step failed for an item, unless that is on record, or the item was made after
    /// all: an invocation that timed out for the machine may have come to its end.
    ///
    /// Answers the item without the step and without what depends on it.
    pub(super) async fn record(
        &self,
        request: &RecordRequest,
    ) -> Result<ItemDocument, PlannerError> {
        let stale = |what, name: &dyn std::fmt::Display| PlanError::Stale {
            what,
            name: name.to_string(),
        };
        let stage = self.layout.stage(request.stage.as_str());
        let (stage_place, stage) = stage.ok_or_else(|| stale("stage", &request.stage))?;
        let failed = request.failed.get();
        let (name, error) = failed.ok_or_else(|| stale("step", &"none"))?;
        let step = stage.step(name.as_str());
        let (place, step) = step.ok_or_else(|| stale("step", name))?;
        let answer = ItemDocument {
            run: request.run,
            redrive: request.redrive,
            item: stage.left_after(&request.item, place),
        };
        // What is held back did not fail.
        let Some(partitions) = request
            .item
            .partitions_of(name)
            .filter(|_| error.error != HELD)
        else {
            return Ok(answer);
        };
        let laid = self.laid(request.run, 0).await?;
        // Of a batch, what is made from something that failed was not tried, whatever the others did.
        let held = match stage.batched {
            true => self.held_of(&laid, stage_place + 1, &step.op).await?,
            false => PartitionSet::empty(),
        };
        let partitions = &(partitions - &held);
        let part = request.item.steps.get(name);
        let part = part.and_then(|taken| taken.part.as_ref());
        let assets = part.map_or(&step.assets, |part| &part.assets);
        let checks = part.map_or(&step.checks, |part| &part.checks);
        for asset in assets {
            for target in self.targets(laid.context(), asset, partitions) {
                self.record_asset(error, &laid, target).await?;
            }
        }
        for check in checks.iter().filter(|_| step.assets.is_empty()) {
            for target in self.targets(laid.context(), &check.asset, partitions) {
                self.record_check(error, &laid, check, &target).await?;
            }
        }
        Ok(answer)
    }

    /// What does not run of an op, because of what failed in the first `ended` stages of the layout.
    async fn held_of(
        &self,
        laid: &Laid,
        ended: usize,
        op: &str,
    ) -> Result<PartitionSet, PlannerError> {
        let standing = self.standing(laid, ended).await?;
        let steps = laid.plan().steps().filter(|(_, _, step)| step.op == op);
        let held = steps.filter_map(|(id, _, _)| standing.held.get(&id));
        Ok(held.fold(PartitionSet::empty(), |all, held| &all | held))
    }

    async fn record_asset(
        &self,
        error: &CaughtError,
        laid: &Laid,
        target: PartitionRef,
    ) -> StateResult<()> {
        let latest = self.state.latest(&target, ReadConsistency::Strong).await?;
        if latest.is_some_and(|latest| self.is_settled(laid, &latest)) {
            return Ok(());
        }
        let failure = Failure {
            attempt: self.last_attempt(laid, &target).await?,
            run: laid.run,
            kind: kind(&error.error),
            message: error.message(),
            causes: Vec::new(),
            will_retry: false,
            at: self.clock.now(),
            target,
        };
        self.state.fail(vec![failure]).await?;
        Ok(())
    }

    async fn record_check(
        &self,
        error: &CaughtError,
        laid: &Laid,
        check: &CheckKey,
        target: &PartitionRef,
    ) -> StateResult<()> {
        let latest = self.state.latest_checks(target).await?;
        let known = latest.iter().any(|found| {
            found.check == *check
                && found.run == laid.run
                && (found.outcome != CheckOutcome::Errored || found.attempt > 1)
        });
        if !known {
            let evaluation = self.unevaluated(laid.run, target, check, error.message());
            self.state.record_checks(vec![evaluation]).await?;
        }
        Ok(())
    }

    /// The number of the attempt that failed: of the last one that said so itself, or else the first.
    async fn last_attempt(&self, laid: &Laid, target: &PartitionRef) -> StateResult<u32> {
        let page = PageRequest::first(EVENTS);
        let events = self.state.events(target, &page).await?;
        let attempts = events.items.iter().filter_map(|event| match event {
            Event::Failed(failure) if failure.run == laid.run => Some(failure.attempt),
            _ => None,
        });
        Ok(attempts.max().unwrap_or(1))
    }
}

/// What an error of a state means for a retry.
fn kind(error: &str) -> ErrorKind {
    match error {
        "Precip.Terminal" | "Precip.Held" | "Precip.CheckFailed" => ErrorKind::Terminal,
        "Precip.Panic" => ErrorKind::Panic,
        "Precip.Timeout" | "States.Timeout" | "Sandbox.Timedout" => ErrorKind::Timeout,
        _ => ErrorKind::Retryable,
    }
}
