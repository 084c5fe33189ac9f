//! One attempt at a step: load, call, store, commit.

use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::future::{Either, select};
use precip_core::{
    graph::AssetId,
    partitions::PartitionSet,
    plan::{PlanError, Step},
};

use super::attempt_phase::{AttemptPhase, Phase};
use crate::{
    asset::{AssetContext, AssetError, ErrorKind, Inputs, OpOutputs},
    definitions::OpDefinition,
    run::{
        RunItemError, RunSession,
        inputs::LoadError,
        outputs::{Attempt, assign_outputs},
        skipped_input::SkippedInput,
    },
    state::{CheckEvaluation, FailureOutcome, PartitionRef, SkippedAttempt, StateResult},
};

/// The outcome of one attempt.
#[derive(Default)]
pub(super) struct AttemptOutcome {
    pub(super) committed: Vec<PartitionRef>,
    /// The partitions that the function had nothing to make for.
    pub(super) skipped: Vec<PartitionRef>,
    pub(super) checks: Vec<CheckEvaluation>,
    pub(super) failed: Vec<(PartitionRef, AssetError)>,
    /// The partitions that were not tried, because they need something that is skipped.
    pub(super) untried: Vec<SkippedInput>,
}

impl RunSession {
    /// Runs one attempt, from loading to committing. An error of the op is part of the outcome.
    pub(super) async fn run_attempt(
        &self,
        op: &OpDefinition,
        step: &Step,
        partitions: &PartitionSet,
        attempt: u32,
        phase: &AttemptPhase,
    ) -> Result<AttemptOutcome, RunItemError> {
        let started_at = self.ports.clock.now();
        let loaded = match self.load_inputs(op, step, partitions).await {
            Ok(loaded) => loaded,
            Err(LoadError::State(error)) => return Err(error.into()),
            Err(LoadError::Asset(error)) => {
                return Ok(AttemptOutcome {
                    failed: fail_all(&self.step_targets(step, partitions), &error),
                    ..AttemptOutcome::default()
                });
            }
        };
        // Partitions that need something that is skipped are not tried.
        let partitions = &loaded.partitions;
        let untried = loaded.skipped;
        if partitions.is_empty() {
            return Ok(AttemptOutcome {
                untried,
                ..AttemptOutcome::default()
            });
        }
        let targets = self.step_targets(step, partitions);
        let partitioned_like = targets
            .first()
            .and_then(|target| self.definitions.graph().id(&target.asset))
            .ok_or_else(|| PlanError::Stale {
                what: "op",
                name: step.op.clone(),
            })?;
        let previous_checks = self
            .read_previous_checks(op, &targets, partitioned_like)
            .await?;
        let context =
            self.asset_context(step, partitioned_like, partitions, attempt, previous_checks);
        let all_failed = |error: AssetError, untried| AttemptOutcome {
            failed: fail_all(&targets, &error),
            untried,
            ..AttemptOutcome::default()
        };
        phase.enter(Phase::Calling);
        let outputs = match self.call_op(op, context.clone(), loaded.inputs).await {
            Ok(outputs) => outputs,
            Err(error) => return Ok(all_failed(error, untried)),
        };
        phase.enter(Phase::Storing);
        let versions = &loaded.versions;
        let attempt = Attempt {
            step,
            context: &context,
            attempt,
            started_at,
            inputs: versions,
        };
        match self.store_and_commit(op, &attempt, &targets, outputs).await {
            Ok(outcome) => Ok(AttemptOutcome { untried, ..outcome }),
            Err(LoadError::State(error)) => Err(error.into()),
            Err(LoadError::Asset(error)) => Ok(all_failed(error, untried)),
        }
    }

    /// Reads the previous results of the op's checks, if its function takes them: those of its
    /// partitions, then those of the partition before the first.
    async fn read_previous_checks(
        &self,
        op: &OpDefinition,
        targets: &[PartitionRef],
        partitioned_like: AssetId,
    ) -> StateResult<Vec<CheckEvaluation>> {
        if !op.reads_previous_checks {
            return Ok(Vec::new());
        }
        let first = targets
            .first()
            .and_then(|first| first.ordinal.checked_sub(1));
        let before = first.and_then(|ordinal| self.partition_ref(partitioned_like, ordinal));
        let mut previous_checks = Vec::new();
        for target in targets.iter().chain(&before) {
            let checks = self.with_state_retries(|| self.ports.state.latest_checks(target));
            previous_checks.extend(checks.await?);
        }
        previous_checks.retain(|earlier| {
            let mut own = op.spec.checks.iter();
            own.any(|spec| spec.key == earlier.check)
        });
        Ok(previous_checks)
    }

    /// Calls an op's function and cancels it after the op's timeout.
    async fn call_op(
        &self,
        op: &OpDefinition,
        context: AssetContext,
        inputs: Inputs,
    ) -> Result<OpOutputs, AssetError> {
        let timeout = op.spec.compute.timeout;
        let body = self
            .ports
            .op_runner
            .run_op(op, context, inputs, self.resources());
        let alarm = self.ports.sleeper.sleep(timeout);
        match select(body, alarm).await {
            Either::Left((answer, _)) => answer,
            Either::Right(((), _)) => Err(AssetError::with_kind(
                ErrorKind::Timeout,
                format!(
                    "not done after {}: give the op a longer timeout, or less to do",
                    format_seconds(timeout)
                ),
            )),
        }
    }

    /// Stores and commits the outputs of an attempt, and records its check results.
    async fn store_and_commit(
        &self,
        op: &OpDefinition,
        attempt: &Attempt<'_>,
        targets: &[PartitionRef],
        outputs: OpOutputs,
    ) -> Result<AttemptOutcome, LoadError> {
        let step = attempt.step;
        let at = self.ports.clock.now();
        let checks = self.check_evaluations(outputs.checks, step, targets, attempt.attempt, at)?;
        let mut checks = self.cut_findings(checks, attempt.attempt).await;
        let (made, left) = assign_outputs(step, targets, outputs.made)?;
        let mut outcome = AttemptOutcome::default();
        for target in left {
            // What the function itself reported as failed: the other assets of the partition, which it
            // made or skipped, did not fail.
            let reported = outputs.failed.iter();
            let reported = reported
                .clone()
                .find(|(key, _)| target.partition.as_ref() == Some(key));
            let pair = (target.asset.clone(), target.partition.clone());
            if outputs.skipped.contains(&pair) {
                outcome.skipped.push(target);
            } else if let Some((_, error)) = reported {
                outcome.failed.push((target, error.clone()));
            } else if op.spec.can_subset {
                outcome.skipped.push(target);
            } else {
                let error = AssetError::terminal(format!(
                    "op `{}` returned nothing for `{target}`: return each asset that it is asked \
                     for, `None` where there is nothing to make, or let it leave some out \
                     (`can_subset`)",
                    step.op
                ));
                outcome.failed.push((target, error));
            }
        }
        let (stored, unstored) = self.store_outputs(attempt, made, &checks).await;
        outcome.failed.extend(unstored);
        let (stored, unpublished) = self.commit_materializations(stored).await?;
        // A check of what readers do not see says nothing.
        checks.retain(|found| {
            !unpublished
                .iter()
                .any(|(target, _)| found.target == *target)
        });
        outcome.failed.extend(unpublished);
        self.record_skipped_attempts(attempt.attempt, at, &mut outcome)
            .await?;
        // The checks of what was stored are part of its materialization; the results of a step that
        // only checks are recorded on their own.
        let apart: Vec<_> = checks
            .iter()
            .filter(|found| !stored.iter().any(|made| made.target == found.target))
            .cloned()
            .collect();
        if step.assets.is_empty() && !apart.is_empty() {
            self.with_state_retries(|| self.ports.state.record_checks(apart.clone()))
                .await?;
        }
        outcome
            .committed
            .extend(stored.into_iter().map(|made| made.target));
        outcome.checks = checks;
        Ok(outcome)
    }

    /// Records the attempts that had nothing to make. A partition that an earlier attempt of this run
    /// published counts as published.
    async fn record_skipped_attempts(
        &self,
        attempt: u32,
        at: DateTime<Utc>,
        outcome: &mut AttemptOutcome,
    ) -> StateResult<()> {
        if outcome.skipped.is_empty() {
            return Ok(());
        }
        let of_target = |target: &PartitionRef| SkippedAttempt {
            target: target.clone(),
            run: self.run,
            attempt,
            at,
        };
        let attempts: Vec<SkippedAttempt> = outcome.skipped.iter().map(of_target).collect();
        let state = &self.ports.state;
        let recorded = self.with_state_retries(|| state.record_skipped_attempts(attempts.clone()));
        let skipped = std::mem::take(&mut outcome.skipped);
        for (target, recorded) in skipped.into_iter().zip(recorded.await?) {
            match recorded {
                FailureOutcome::Recorded => outcome.skipped.push(target),
                FailureOutcome::AlreadyDone { .. } => outcome.committed.push(target),
            }
        }
        Ok(())
    }
}

/// Fails every target with the same error.
pub(super) fn fail_all(
    targets: &[PartitionRef],
    error: &AssetError,
) -> Vec<(PartitionRef, AssetError)> {
    targets
        .iter()
        .map(|target| (target.clone(), error.clone()))
        .collect()
}

pub(super) fn format_seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs_f64())
}
