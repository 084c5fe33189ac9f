//! Recording of failures that the materializer could not record.

use crate::{
    asset::ErrorKind,
    machine::{
        CaughtError, ItemDocument, Planner, PlannerError, RecordRequest, error::stale_plan,
        work::PlannedWork,
    },
    state::{
        CheckOutcome, Event, FailedAttempt, PageRequest, PartitionRef, ReadConsistency, StateResult,
    },
};
use precip_core::{
    key::{AssetKey, CheckKey},
    partitions::PartitionSet,
};

/// The error of a step that was held back.
const HELD: &str = "Precip.Held";

/// Number of a partition's latest events that are searched for the attempts of a run.
const EVENTS: usize = 20;

impl Planner {
    /// Records that a step failed for an item, unless the failure is recorded already or the item
    /// was published after all: an invocation that timed out for the machine may have finished.
    ///
    /// Returns the item without the step and without those that depend on it.
    pub(super) async fn record_failure(
        &self,
        request: &RecordRequest,
    ) -> Result<ItemDocument, PlannerError> {
        let stage = self.layout.stage_named(request.stage.as_str());
        let (stage_index, stage) = stage.ok_or_else(|| stale_plan("stage", &request.stage))?;
        let failed = request.failed.get();
        let (name, error) = failed.ok_or_else(|| stale_plan("step", &"none"))?;
        let step = stage.step_named(name.as_str());
        let (step_index, step) = step.ok_or_else(|| stale_plan("step", name))?;
        let left_after = |lost: Option<&[AssetKey]>| ItemDocument {
            run: request.run,
            redrive: request.redrive,
            item: stage.left_after(&request.item, step_index, lost),
        };
        // A step that was held back did not fail.
        let Some(partitions) = request
            .item
            .partitions_of(name)
            .filter(|_| error.error != HELD)
        else {
            return Ok(left_after(None));
        };
        let planned = self.read_planned_work(request.run, 0).await?;
        // The partitions of a batch that were held back did not fail with the rest of it.
        let held = if stage.batched {
            self.held_back_of(&planned, stage_index + 1, &step.op)
                .await?
        } else {
            PartitionSet::empty()
        };
        let partitions = &(partitions - &held);
        let taken = request.item.steps.get(name);
        let part = taken.and_then(|taken| taken.part.as_ref());
        let assets = part.map_or(&step.assets, |part| &part.assets);
        let checks = part.map_or(&step.checks, |part| &part.checks);
        // What the step published all the same, without a failed blocking check, can be used.
        let mut lost: Vec<AssetKey> = Vec::new();
        for asset in assets {
            for target in self.partition_refs(planned.context(), asset, partitions) {
                let usable = self.record_asset(error, &planned, target).await?;
                if !usable && !lost.contains(asset) {
                    lost.push(asset.clone());
                }
            }
        }
        for check in checks.iter().filter(|_| step.assets.is_empty()) {
            for target in self.partition_refs(planned.context(), &check.asset, partitions) {
                self.record_check(error, &planned, check, &target).await?;
            }
        }
        // A step that only checks makes nothing: all that comes after it waits for its verdict.
        let lost = (!step.assets.is_empty()).then_some(lost);
        Ok(left_after(lost.as_deref()))
    }

    /// Returns the partitions of an op that are held back by failures, or passed over for skips, in
    /// the first `ended` stages of the layout.
    async fn held_back_of(
        &self,
        planned: &PlannedWork,
        ended: usize,
        op: &str,
    ) -> Result<PartitionSet, PlannerError> {
        let impact = self.failure_impact(planned, ended).await?;
        let steps = planned.plan().steps().filter(|(_, _, step)| step.op == op);
        let held = steps.map(|(id, _, _)| impact.untried_partitions(id));
        Ok(held.fold(PartitionSet::empty(), |all, held| &all | &held))
    }

    /// Records that a partition failed, unless its outcome is known. Returns whether it can be used
    /// all the same: published, or skipped.
    async fn record_asset(
        &self,
        error: &CaughtError,
        planned: &PlannedWork,
        target: PartitionRef,
    ) -> StateResult<bool> {
        let latest = self
            .state
            .latest_materialization(&target, ReadConsistency::Strong)
            .await?;
        if let Some(latest) = latest.filter(|latest| planned.has_outcome(latest)) {
            return Ok(planned.is_usable(&latest));
        }
        let failure = FailedAttempt {
            attempt: self.last_attempt(planned, &target).await?,
            run: planned.run,
            kind: error_kind(&error.error),
            message: error.message(),
            causes: Vec::new(),
            will_retry: false,
            at: self.clock.now(),
            target,
        };
        // The whole of it is in the history of the execution.
        let failure = failure.cut_to_fit("");
        self.state.record_failures(vec![failure]).await?;
        Ok(false)
    }

    async fn record_check(
        &self,
        error: &CaughtError,
        planned: &PlannedWork,
        check: &CheckKey,
        target: &PartitionRef,
    ) -> StateResult<()> {
        let latest = self.state.latest_checks(target).await?;
        // An earlier planner call may have recorded the check as errored in attempt 1: that may be
        // replaced by the error that is known now.
        let known = latest.iter().any(|found| {
            found.check == *check
                && found.run == planned.run
                && (found.outcome != CheckOutcome::Errored || found.attempt > 1)
        });
        if !known {
            let evaluation = self
                .errored_evaluation(planned.run, target, check, error.message())
                .cut_to_fit(1, "");
            self.state.record_checks(vec![evaluation]).await?;
        }
        Ok(())
    }

    /// Returns the number of the last attempt of a run that recorded a failure itself, or else 1.
    async fn last_attempt(&self, planned: &PlannedWork, target: &PartitionRef) -> StateResult<u32> {
        let page = PageRequest::first(EVENTS);
        let events = self.state.partition_events(target, &page).await?;
        let attempts = events.items.iter().filter_map(|event| match event {
            Event::Failed(failure) if failure.run == planned.run => Some(failure.attempt),
            _ => None,
        });
        Ok(attempts.max().unwrap_or(1))
    }
}

/// Returns the kind of an error that a state machine caught, by its name.
fn error_kind(error: &str) -> ErrorKind {
    match error {
        "Precip.Terminal" | "Precip.Held" | "Precip.CheckFailed" => ErrorKind::Terminal,
        "Precip.Panic" => ErrorKind::Panic,
        "Precip.Timeout" | "States.Timeout" | "Sandbox.Timedout" => ErrorKind::Timeout,
        _ => ErrorKind::Retryable,
    }
}
