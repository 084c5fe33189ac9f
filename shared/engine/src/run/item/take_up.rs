//! What an earlier invocation in the same run has done.

use precip_core::{key::CheckKey, partitions::PartitionSet, plan::Step};

use super::outcome::{ItemOutcome, close};
use crate::{
    run::RunSession,
    state::{CheckEvaluation, CheckOutcome, ReadConsistency, StateError},
};

impl RunSession {
    /// Finds what an earlier invocation in this run has done. Answers the number of the next attempt.
    pub(super) async fn take_up(
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
}
