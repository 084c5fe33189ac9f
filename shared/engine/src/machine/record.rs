//! Putting down what the materializer could not.

use crate::{
    asset::ErrorKind,
    machine::{Planner, PlannerError, RecordRequest, work::Laid},
    state::{
        CheckOutcome, Event, Failure, PageRequest, PartitionRef, ReadConsistency, StateResult,
    },
};
use precip_core::{key::CheckKey, plan::PlanError};

/// How many events of a partition are looked at for the attempts of a run.
const EVENTS: usize = 20;

impl Planner {
    /// Puts down that a step failed for an item, unless that is on record, or the item was made after
    /// all: an invocation that timed out for the machine may have come to its end.
    pub(super) async fn record(&self, request: &RecordRequest) -> Result<(), PlannerError> {
        let stale = |what, name: &dyn std::fmt::Display| PlanError::Stale {
            what,
            name: name.to_string(),
        };
        let laid = self.laid(request.run, 0).await?;
        let stage = self.layout.stage(request.stage.as_str());
        let (_, stage) = stage.ok_or_else(|| stale("stage", &request.stage))?;
        let step = stage.step(request.step.as_str());
        let (_, step) = step.ok_or_else(|| stale("step", &request.step))?;
        let Some(partitions) = request.item.partitions_of(&request.step) else {
            return Ok(());
        };
        let part = request.item.steps.get(&request.step);
        let part = part.and_then(|taken| taken.part.as_ref());
        let assets = part.map_or(&step.assets, |part| &part.assets);
        let checks = part.map_or(&step.checks, |part| &part.checks);
        for asset in assets {
            for target in self.targets(laid.context(), asset, partitions) {
                self.record_asset(request, &laid, target).await?;
            }
        }
        for check in checks.iter().filter(|_| step.assets.is_empty()) {
            for target in self.targets(laid.context(), &check.asset, partitions) {
                self.record_check(request, check, &target).await?;
            }
        }
        Ok(())
    }

    async fn record_asset(
        &self,
        request: &RecordRequest,
        laid: &Laid,
        target: PartitionRef,
    ) -> StateResult<()> {
        let latest = self.state.latest(&target, ReadConsistency::Strong).await?;
        if latest.is_some_and(|latest| self.is_settled(laid, &latest)) {
            return Ok(());
        }
        let failure = Failure {
            attempt: self.last_attempt(request, &target).await?,
            run: request.run,
            kind: kind(&request.error.error),
            message: request.error.message(),
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
        request: &RecordRequest,
        check: &CheckKey,
        target: &PartitionRef,
    ) -> StateResult<()> {
        let latest = self.state.latest_checks(target).await?;
        let known = latest.iter().any(|found| {
            found.check == *check
                && found.run == request.run
                && (found.outcome != CheckOutcome::Errored || found.attempt > 1)
        });
        if !known {
            let message = request.error.message();
            let evaluation = self.unevaluated(request.run, target, check, message);
            self.state.record_checks(vec![evaluation]).await?;
        }
        Ok(())
    }

    /// The number of the attempt that failed: of the last one that said so itself, or else the first.
    async fn last_attempt(
        &self,
        request: &RecordRequest,
        target: &PartitionRef,
    ) -> StateResult<u32> {
        let page = PageRequest::first(EVENTS);
        let events = self.state.events(target, &page).await?;
        let attempts = events.items.iter().filter_map(|event| match event {
            Event::Failed(failure) if failure.run == request.run => Some(failure.attempt),
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
