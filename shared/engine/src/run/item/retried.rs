//! Trying an item as often as its op's retry policy has it.

use precip_core::{
    graph::AssetId,
    partitions::PartitionSet,
    plan::{PlanError, Step},
};

use super::{ItemOutcome, doing::Doing};
use crate::{
    run::{RunEvent, RunItemError, RunSession, wait_before_retry},
    state::PartitionRef,
};

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
            let tried = self
                .attempt(op, step, &open, attempt, &Doing::default())
                .await?;
            outcome.attempts += 1;
            let again = op
                .spec
                .retry
                .filter(|policy| attempt - first < policy.max_retries);
            let retried = self
                .settle(step, &mut open, &mut outcome, tried, again, attempt)
                .await?;
            let Some((policy, error)) = again.zip(retried) else {
                break;
            };
            let wait =
                wait_before_retry(&policy, attempt - first + 1, self.ports.randomness.unit());
            self.ports.observer.observe(&RunEvent::Retrying {
                step,
                partitions: &open,
                attempt,
                message: error.message(),
                wait,
            });
            self.ports.sleeper.sleep(wait).await;
            attempt += 1;
        }
        Ok(outcome)
    }

    /// What a step makes or looks at, for some partitions.
    pub(super) fn targets(&self, step: &Step, partitions: &PartitionSet) -> Vec<PartitionRef> {
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
}
