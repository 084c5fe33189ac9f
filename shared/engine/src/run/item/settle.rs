//! What an attempt came to: settled, or to be tried again.

use chrono::{DateTime, Utc};
use precip_core::{partitions::PartitionSet, plan::Step, spec::RetryPolicy};

use super::{
    attempt::Tried,
    outcome::{ItemFailure, ItemOutcome, close},
};
use crate::{
    asset::AssetError,
    run::RunSession,
    state::{Failure, PartitionRef, StateError},
};

impl RunSession {
    /// Puts down what failed, takes what is settled out of `open`, and answers why the rest is tried
    /// again, if it is.
    pub(super) async fn settle(
        &self,
        step: &Step,
        open: &mut PartitionSet,
        outcome: &mut ItemOutcome,
        tried: Tried,
        again: Option<RetryPolicy>,
        attempt: u32,
    ) -> Result<Option<AssetError>, StateError> {
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
        let mut failed = tried.failed.into_iter();
        let again = failed.find(|(target, _)| open.contains(target.ordinal));
        Ok(again.map(|(_, error)| error))
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
