//! Resuming an item that an earlier invocation of the same run began.

use precip_core::{key::CheckKey, partitions::PartitionSet, plan::Step};

use super::outcome::{ItemOutcome, add_finished};
use crate::{
    run::RunSession,
    state::{CheckEvaluation, CheckOutcome, ReadConsistency, StateError},
};

impl RunSession {
    /// Removes from `open` the partitions that an earlier invocation of this run finished, and adds
    /// them to the outcome. Returns the number of the next attempt.
    pub(super) async fn resume_item(
        &self,
        step: &Step,
        open: &mut PartitionSet,
        outcome: &mut ItemOutcome,
    ) -> Result<u32, StateError> {
        let targets = self.step_targets(step, open);
        let mut next = 1;
        let mut undone = PartitionSet::empty();
        let mut checks = Vec::new();
        let mut skipped = Vec::new();
        if step.assets.is_empty() {
            // A partition is done once each of the step's checks of it was evaluated in this run.
            for target in &targets {
                let found = self
                    .with_state_retries(|| self.ports.state.latest_checks(target))
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
                .with_state_retries(|| {
                    // A partition that is published and not visible yet is only made again: the
                    // commit keeps one of the two.
                    let eventual = ReadConsistency::Eventual;
                    self.ports.state.latest_materializations(&targets, eventual)
                })
                .await?;
            for (target, latest) in targets.iter().zip(&latest) {
                let known = latest.as_ref();
                let done = known.filter(|latest| latest.is_published_by(self.run));
                match done.and_then(|latest| latest.published()) {
                    Some(made) => checks.extend(made.checks.iter().cloned()),
                    None if known.is_some_and(|latest| latest.is_skipped_by(self.run)) => {
                        skipped.push(target.clone());
                    }
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
        // A partition is done only if all of the step's assets are.
        let done = &*open - &undone;
        *open -= &done;
        checks.retain(|found| done.contains(found.target.ordinal));
        skipped.retain(|target| done.contains(target.ordinal));
        let mut succeeded = done.clone();
        if !step.assets.is_empty() {
            let made = targets.into_iter();
            let made = made.filter(|target| done.contains(target.ordinal));
            let made = made.filter(|target| !skipped.contains(target));
            outcome.materialized.extend(made);
            let skipped = outcome.add_nothing_made(step, skipped);
            succeeded -= &skipped;
            outcome.skipped |= &skipped;
        }
        add_finished(outcome, step, &succeeded, checks);
        Ok(next)
    }
}
