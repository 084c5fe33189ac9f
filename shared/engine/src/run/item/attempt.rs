//! One attempt at a step: load, call, store, commit.

use std::time::Duration;

use futures::future::{Either, select};
use precip_core::{
    graph::AssetId,
    partitions::PartitionSet,
    plan::{PlanError, Step},
};

use super::doing::{Doing, Phase};
use crate::{
    asset::{AssetContext, AssetError, ErrorKind, Inputs, OpOutputs},
    definitions::OpDefinition,
    run::{
        RunItemError, RunSession,
        inputs::LoadError,
        outputs::{Attempt, assign},
    },
    state::{CheckEvaluation, Materialization, PartitionRef, StateResult},
};

/// What one attempt came to.
#[derive(Default)]
pub(super) struct Tried {
    pub(super) committed: Vec<Materialization>,
    pub(super) checks: Vec<CheckEvaluation>,
    pub(super) failed: Vec<(PartitionRef, AssetError)>,
}

impl RunSession {
    /// One attempt, from loading to committing.
    pub(super) async fn attempt(
        &self,
        op: &OpDefinition,
        step: &Step,
        partitions: &PartitionSet,
        attempt: u32,
        doing: &Doing,
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
        let recalled = self.recall(op, &targets, divided_like).await?;
        let context = self.asset_context(step, divided_like, partitions, attempt, recalled);
        let all_failed = |error: AssetError| Tried {
            failed: spread(&targets, &error),
            ..Tried::default()
        };
        let loaded = match self.load(op, step, partitions).await {
            Ok(loaded) => loaded,
            Err(LoadError::State(error)) => return Err(error.into()),
            Err(LoadError::Asset(error)) => return Ok(all_failed(error)),
        };
        doing.now(Phase::Calling);
        let outputs = match self.call(op, context.clone(), loaded.inputs).await {
            Ok(outputs) => outputs,
            Err(error) => return Ok(all_failed(error)),
        };
        doing.now(Phase::Storing);
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

    /// What the op's checks found before, if its function is told: of its partitions, then of the one before the
    /// first of them.
    async fn recall(
        &self,
        op: &OpDefinition,
        targets: &[PartitionRef],
        divided_like: AssetId,
    ) -> StateResult<Vec<CheckEvaluation>> {
        if !op.recalls {
            return Ok(Vec::new());
        }
        let first = targets
            .first()
            .and_then(|first| first.ordinal.checked_sub(1));
        let before = first.and_then(|ordinal| self.reference(divided_like, ordinal));
        let mut recalled = Vec::new();
        for target in targets.iter().chain(&before) {
            let found = self.persist(|| self.ports.state.latest_checks(target));
            recalled.extend(found.await?);
        }
        recalled.retain(|found| op.spec.checks.iter().any(|spec| spec.key == found.check));
        Ok(recalled)
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
}

pub(super) fn spread(
    targets: &[PartitionRef],
    error: &AssetError,
) -> Vec<(PartitionRef, AssetError)> {
    targets
        .iter()
        .map(|target| (target.clone(), error.clone()))
        .collect()
}

pub(super) fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs_f64())
}
