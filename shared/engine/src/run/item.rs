//! Running one item: one step for one batch of partitions.

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, Utc};
use futures::future::{Either, select};
use precip_core::{
    graph::AssetId,
    key::CheckKey,
    partitions::PartitionSet,
    plan::{PlanError, Step},
    spec::RetryPolicy,
};

use crate::{
    asset::{AssetContext, AssetError, ErrorKind, Inputs, OpOutputs},
    definitions::OpDefinition,
    run::{
        RunEvent, RunItemError, RunSession,
        checks::closed,
        inputs::LoadError,
        outputs::{Attempt, assign},
        wait_before_retry,
    },
    state::{
        CheckEvaluation, CheckOutcome, Failure, Materialization, PartitionRef, ReadConsistency,
        StateError,
    },
};

/// How one item ended.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ItemOutcome {
    /// The partitions for which everything went well.
    pub succeeded: PartitionSet,
    /// The others: nothing that depends on them runs in this run.
    pub failed: PartitionSet,
    /// What was published. A partition can be published and count as failed: its data is there, and
    /// a blocking check found something wrong with it.
    pub materialized: Vec<PartitionRef>,
    /// What the checks found.
    pub checks: Vec<CheckEvaluation>,
    /// What went wrong.
    pub failures: Vec<ItemFailure>,
    /// How many attempts it took; 0 when an earlier invocation had done everything.
    pub attempts: u32,
}

/// What went wrong with one partition.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemFailure {
    /// The partition, of an asset that the step makes or checks.
    pub target: PartitionRef,
    /// What it means for a retry.
    pub kind: ErrorKind,
    /// What went wrong.
    pub message: String,
    /// What led to it, nearest first.
    pub causes: Vec<String>,
    /// The blocking checks that found something wrong, if that is why it counts as failed.
    pub checks: Vec<CheckKey>,
}

impl ItemFailure {
    fn new(target: PartitionRef, error: &AssetError) -> Self {
        Self {
            target,
            kind: error.kind(),
            message: error.message().to_owned(),
            causes: error.causes().to_vec(),
            checks: Vec::new(),
        }
    }
}

/// What one attempt came to.
#[derive(Default)]
struct Tried {
    committed: Vec<Materialization>,
    checks: Vec<CheckEvaluation>,
    failed: Vec<(PartitionRef, AssetError)>,
}

impl RunSession {
    /// Runs one step for some partitions: loads its inputs, calls its function (again, as its retry
    /// policy has it), stores and commits what it made, and puts down what failed.
    ///
    /// The answer says how the partitions ended; a failure of the op is part of it. Dropping the
    /// future at any point is safe: what was committed stays, and running the item again in a
    /// [repeated](Self::repeated) session does the rest.
    ///
    /// # Errors
    /// [`RunItemError`] when the run cannot go on.
    pub async fn run_item(
        &self,
        step: &Step,
        partitions: &PartitionSet,
    ) -> Result<ItemOutcome, RunItemError> {
        let op = self
            .definitions
            .op_named(&step.op)
            .ok_or_else(|| PlanError::Stale {
                what: "op",
                name: step.op.clone(),
            })?;
        let mut outcome = ItemOutcome::default();
        let mut open = partitions.clone();
        let mut attempt = 1;
        if self.repeated {
            attempt = self.take_up(step, &mut open, &mut outcome).await?;
        }
        let first = attempt;
        while !open.is_empty() {
            let tried = self.attempt(op, step, &open, attempt).await?;
            outcome.attempts += 1;
            let again = op
                .spec
                .retry
                .filter(|policy| attempt - first < policy.max_retries);
            let retried = self
                .settle(step, &mut open, &mut outcome, tried, again, attempt)
                .await?;
            let Some((policy, message)) = again.zip(retried) else {
                break;
            };
            let wait =
                wait_before_retry(&policy, attempt - first + 1, self.ports.randomness.unit());
            self.ports.observer.observe(&RunEvent::Retrying {
                step,
                partitions: &open,
                attempt,
                message: &message,
                wait,
            });
            self.ports.sleeper.sleep(wait).await;
            attempt += 1;
        }
        Ok(outcome)
    }

    /// What a step makes or looks at, for some partitions.
    fn targets(&self, step: &Step, partitions: &PartitionSet) -> Vec<PartitionRef> {
        let graph = self.definitions.graph();
        let keys = match step.assets.is_empty() {
            true => {
                let mut keys: Vec<_> = step.checks.iter().map(|check| &check.asset).collect();
                keys.dedup();
                keys
            }
            false => step.assets.iter().collect(),
        };
        let assets: Vec<AssetId> = keys.into_iter().filter_map(|key| graph.id(key)).collect();
        partitions
            .iter()
            .flat_map(|ordinal| assets.iter().map(move |asset| (*asset, ordinal)))
            .filter_map(|(asset, ordinal)| self.reference(asset, ordinal))
            .collect()
    }

    /// Finds what an earlier invocation in this run has done. Answers the number of the next attempt.
    async fn take_up(
        &self,
        step: &Step,
        open: &mut PartitionSet,
        outcome: &mut ItemOutcome,
    ) -> Result<u32, StateError> {
        let targets = self.targets(step, open);
        let mut next = 1;
        let mut undone = PartitionSet::empty();
        let mut checks = Vec::new();
        if step.assets.is_empty() {
            for target in &targets {
                let found = self
                    .persist(|| self.ports.state.latest_checks(target))
                    .await?;
                let ours = |found: &CheckEvaluation| {
                    found.run == self.run
                        && found.outcome != CheckOutcome::Errored
                        && step.checks.contains(&found.check)
                };
                let own: Vec<_> = found.into_iter().filter(ours).collect();
                let of_target = |check: &&CheckKey| check.asset == target.asset;
                if own.len() < step.checks.iter().filter(of_target).count() {
                    undone.insert(target.ordinal);
                }
                checks.extend(own);
            }
        } else {
            let latest = self
                .persist(|| {
                    // A shortcut: what is published and not seen yet is made again, and the commit
                    // decides.
                    let eventual = ReadConsistency::Eventual;
                    self.ports.state.latest_many(&targets, eventual)
                })
                .await?;
            for (target, latest) in targets.iter().zip(&latest) {
                let done = latest.as_ref().filter(|latest| latest.is_done_by(self.run));
                match done.and_then(|latest| latest.published()) {
                    Some(made) => checks.extend(made.checks.iter().cloned()),
                    None => {
                        undone.insert(target.ordinal);
                    }
                }
                let failure = latest.as_ref().and_then(|latest| latest.failure.as_ref());
                if let Some(failure) = failure.filter(|failure| failure.run == self.run) {
                    next = next.max(failure.attempt + 1);
                }
            }
        }
        let done = &*open - &undone;
        *open -= &done;
        checks.retain(|found| done.contains(found.target.ordinal));
        let made = targets
            .into_iter()
            .filter(|target| done.contains(target.ordinal));
        if !step.assets.is_empty() {
            outcome.materialized.extend(made);
        }
        close(outcome, &done, checks);
        Ok(next)
    }

    /// One attempt, from loading to committing.
    async fn attempt(
        &self,
        op: &OpDefinition,
        step: &Step,
        partitions: &PartitionSet,
        attempt: u32,
    ) -> Result<Tried, RunItemError> {
        let targets = self.targets(step, partitions);
        let started_at = self.ports.clock.now();
        let divided_like = targets
            .first()
            .and_then(|target| self.definitions.graph().id(&target.asset))
            .ok_or_else(|| PlanError::Stale {
                what: "op",
                name: step.op.clone(),
            })?;
        let context = self.asset_context(step, divided_like, partitions, attempt);
        let all_failed = |error: AssetError| Tried {
            failed: spread(&targets, &error),
            ..Tried::default()
        };
        let loaded = match self.load(op, step, partitions).await {
            Ok(loaded) => loaded,
            Err(LoadError::State(error)) => return Err(error.into()),
            Err(LoadError::Asset(error)) => return Ok(all_failed(error)),
        };
        let outputs = match self.call(op, context.clone(), loaded.inputs).await {
            Ok(outputs) => outputs,
            Err(error) => return Ok(all_failed(error)),
        };
        let versions = &loaded.versions;
        let attempt = Attempt {
            step,
            context: &context,
            attempt,
            started_at,
            inputs: versions,
        };
        match self.keep(op, &attempt, &targets, outputs).await {
            Ok(tried) => Ok(tried),
            Err(LoadError::State(error)) => Err(error.into()),
            Err(LoadError::Asset(error)) => Ok(all_failed(error)),
        }
    }

    /// Calls an op's function, and gives up on it after the op's timeout.
    async fn call(
        &self,
        op: &OpDefinition,
        context: AssetContext,
        inputs: Inputs,
    ) -> Result<OpOutputs, AssetError> {
        let timeout = op.spec.compute.timeout;
        let body = self.ports.bodies.run(op, context, inputs, self.resources());
        let alarm = self.ports.sleeper.sleep(timeout);
        match select(body, alarm).await {
            Either::Left((answer, _)) => answer,
            Either::Right(((), _)) => Err(AssetError::with_kind(
                ErrorKind::Timeout,
                format!(
                    "not done after {}: give the op a longer timeout, or less to do",
                    seconds(timeout)
                ),
            )),
        }
    }

    /// Stores and commits what an attempt made and found.
    async fn keep(
        &self,
        op: &OpDefinition,
        attempt: &Attempt<'_>,
        targets: &[PartitionRef],
        outputs: OpOutputs,
    ) -> Result<Tried, LoadError> {
        let step = attempt.step;
        let at = self.ports.clock.now();
        let checks = self.evaluations(outputs.checks, step, targets, attempt.attempt, at)?;
        let (made, left) = assign(step, targets, outputs.made)?;
        let mut tried = Tried::default();
        for (key, error) in outputs.failed {
            let of_key = targets
                .iter()
                .filter(|target| target.partition.as_ref() == Some(&key));
            tried
                .failed
                .extend(of_key.map(|target| (target.clone(), error.clone())));
        }
        for target in left {
            let known = tried
                .failed
                .iter()
                .any(|(failed, _)| failed.ordinal == target.ordinal);
            if !known && !op.spec.can_subset {
                let error = AssetError::terminal(format!(
                    "op `{}` returned nothing for `{target}`: return each asset that it is asked \
                     for, or let it leave some out (`can_subset`)",
                    step.op
                ));
                tried.failed.push((target, error));
            }
        }
        let (stored, unstored) = self.store(attempt, made, &checks).await;
        self.commit(&stored).await?;
        tried.failed.extend(unstored);
        let apart: Vec<_> = checks
            .iter()
            .filter(|found| !stored.iter().any(|made| made.target == found.target))
            .cloned()
            .collect();
        if step.assets.is_empty() && !apart.is_empty() {
            self.persist(|| self.ports.state.record_checks(apart.clone()))
                .await?;
        }
        tried.committed = stored;
        tried.checks = checks;
        Ok(tried)
    }

    /// Puts down what failed, takes what is settled out of `open`, and answers why the rest is tried
    /// again, if it is.
    async fn settle(
        &self,
        step: &Step,
        open: &mut PartitionSet,
        outcome: &mut ItemOutcome,
        tried: Tried,
        again: Option<RetryPolicy>,
        attempt: u32,
    ) -> Result<Option<String>, StateError> {
        let at = self.ports.clock.now();
        let failed: PartitionSet = tried
            .failed
            .iter()
            .map(|(target, _)| target.ordinal)
            .collect();
        let final_ones: PartitionSet = tried
            .failed
            .iter()
            .filter(|(_, error)| again.is_none() || !error.kind().is_retryable())
            .map(|(target, _)| target.ordinal)
            .collect();
        let retried = &failed - &final_ones;
        let committed: Vec<PartitionRef> = tried
            .committed
            .into_iter()
            .map(|made| made.target)
            .collect();
        outcome.materialized.extend(committed.iter().cloned());
        let good = &*open - &failed;
        let checks = tried
            .checks
            .into_iter()
            .filter(|found| !retried.contains(found.target.ordinal));
        let checks: Vec<_> = checks.collect();
        close(outcome, &good, checks);
        let mut failures = Vec::new();
        for (target, error) in &tried.failed {
            let last = final_ones.contains(target.ordinal);
            if last {
                outcome
                    .failures
                    .push(ItemFailure::new(target.clone(), error));
            }
            if !committed.contains(target) && !step.assets.is_empty() {
                failures.push(self.failure(target, error, attempt, !last, at));
            } else if step.assets.is_empty() && last {
                let targets = std::slice::from_ref(target);
                let errored = self.errored(step, targets, attempt, at, error);
                self.persist(|| self.ports.state.record_checks(errored.clone()))
                    .await?;
                outcome.checks.extend(errored);
            }
        }
        if !failures.is_empty() {
            self.persist(|| self.ports.state.fail(failures.clone()))
                .await?;
        }
        outcome.failed |= &final_ones;
        *open = retried;
        let message = tried
            .failed
            .iter()
            .find(|(target, _)| open.contains(target.ordinal));
        Ok(message.map(|(_, error)| error.message().to_owned()))
    }

    fn failure(
        &self,
        target: &PartitionRef,
        error: &AssetError,
        attempt: u32,
        will_retry: bool,
        at: DateTime<Utc>,
    ) -> Failure {
        Failure {
            target: target.clone(),
            run: self.run,
            attempt,
            kind: error.kind(),
            message: error.message().to_owned(),
            causes: error.causes().to_vec(),
            will_retry,
            at,
        }
    }
}

/// Puts partitions down as succeeded, unless a blocking check found something wrong with them.
fn close(outcome: &mut ItemOutcome, done: &PartitionSet, checks: Vec<CheckEvaluation>) {
    let mut closed_by: BTreeMap<u64, Vec<CheckKey>> = closed(&checks);
    closed_by.retain(|ordinal, _| done.contains(*ordinal));
    let stopped: PartitionSet = closed_by.keys().copied().collect();
    outcome.succeeded |= &(done - &stopped);
    outcome.failed |= &stopped;
    for (ordinal, by) in closed_by {
        let names: Vec<String> = by.iter().map(|check| format!("`{check}`")).collect();
        let found = checks
            .iter()
            .find(|found| found.target.ordinal == ordinal && by.contains(&found.check));
        if let Some(found) = found {
            let error = AssetError::terminal(format!("blocking check {} failed", names.join(", ")));
            let failure = ItemFailure::new(found.target.clone(), &error);
            outcome.failures.push(ItemFailure {
                checks: by,
                ..failure
            });
        }
    }
    outcome.checks.extend(checks);
}

fn spread(targets: &[PartitionRef], error: &AssetError) -> Vec<(PartitionRef, AssetError)> {
    targets
        .iter()
        .map(|target| (target.clone(), error.clone()))
        .collect()
}

fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs_f64())
}
