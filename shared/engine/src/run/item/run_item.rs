//! Running an item with the retries of its op's policy.

use precip_core::{
    graph::AssetId,
    partitions::PartitionSet,
    plan::{PlanError, Step},
};

use super::{ItemOutcome, attempt_phase::AttemptPhase};
use crate::{
    run::{RunEvent, RunItemError, RunSession, wait_before_retry},
    state::PartitionRef,
};

impl RunSession {
    /// Runs one step for some partitions: loads its inputs, calls its function with the retries of
    /// its policy, stores and commits its outputs, and records failures.
    ///
    /// Returns how the partitions ended; a failure of the op is part of that. Dropping the future at
    /// any point is safe: committed partitions stay, and running the item again in a
    /// [resumed](Self::resumed) session does the rest.
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
        self.check_partitions_exist(step, partitions)?;
        let mut outcome = ItemOutcome::default();
        let mut open = partitions.clone();
        let mut attempt = 1;
        if self.resumed {
            attempt = self.resume_item(step, &mut open, &mut outcome).await?;
        }
        // Attempts of an earlier invocation do not count against the retries of this one.
        let first = attempt;
        while !open.is_empty() {
            let attempted = self
                .run_attempt(op, step, &open, attempt, &AttemptPhase::default())
                .await?;
            outcome.attempts += 1;
            let policy = op
                .spec
                .retry
                .filter(|policy| attempt - first < policy.max_retries);
            let retry_cause = self
                .record_outcome(step, &mut open, &mut outcome, attempted, policy, attempt)
                .await?;
            let Some((policy, error)) = policy.zip(retry_cause) else {
                break;
            };
            let wait = wait_before_retry(
                &policy,
                attempt - first + 1,
                self.ports.randomness.random_unit(),
            );
            self.ports.observer.on_event(&RunEvent::Retrying {
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

    /// Checks that every partition of an item has a key, so that none of them is passed over.
    ///
    /// # Errors
    /// [`PlanError::Outdated`] names the keys that are gone.
    pub(super) fn check_partitions_exist(
        &self,
        step: &Step,
        partitions: &PartitionSet,
    ) -> Result<(), PlanError> {
        let graph = self.definitions.graph();
        let checked = step.checks.iter().map(|check| &check.asset);
        for asset in step.assets.iter().chain(checked) {
            let id = graph.id(asset).ok_or_else(|| PlanError::Stale {
                what: "asset",
                name: asset.to_string(),
            })?;
            self.lineage().check_keys_exist(id, partitions)?;
        }
        Ok(())
    }

    /// Returns the (asset, partition) pairs that a step makes for some partitions, or those that it
    /// checks if it makes none.
    pub(super) fn step_targets(&self, step: &Step, partitions: &PartitionSet) -> Vec<PartitionRef> {
        let graph = self.definitions.graph();
        let keys = if step.assets.is_empty() {
            let mut checked: Vec<_> = step.checks.iter().map(|check| &check.asset).collect();
            checked.dedup();
            checked
        } else {
            step.assets.iter().collect()
        };
        let assets: Vec<AssetId> = keys.into_iter().filter_map(|key| graph.id(key)).collect();
        partitions
            .iter()
            .flat_map(|ordinal| assets.iter().map(move |asset| (*asset, ordinal)))
            .filter_map(|(asset, ordinal)| self.partition_ref(asset, ordinal))
            .collect()
    }
}
