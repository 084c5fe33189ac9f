//! Recording of an attempt's outcome, and the decision about a retry.

use chrono::{DateTime, Utc};
use precip_core::{
    partitions::PartitionSet,
    plan::{LossCause, Step},
    spec::RetryPolicy,
};

use super::{
    attempt::AttemptOutcome,
    outcome::{ItemFailure, ItemOutcome, add_finished},
};
use crate::{
    asset::AssetError,
    run::RunSession,
    state::{FailedAttempt, PartitionRef, StateError},
};

impl RunSession {
    /// Records the failures of an attempt, leaves in `open` only the partitions to retry, and returns
    /// the error because of which they are retried. `policy` is the retry policy while it allows
    /// another attempt.
    pub(super) async fn record_outcome(
        &self,
        step: &Step,
        open: &mut PartitionSet,
        outcome: &mut ItemOutcome,
        attempted: AttemptOutcome,
        policy: Option<RetryPolicy>,
        attempt: u32,
    ) -> Result<Option<AssetError>, StateError> {
        let at = self.ports.clock.now();
        // What is recorded, shown and answered from here on is cut, so that it always fits.
        let attempted = AttemptOutcome {
            failed: self.cut_errors(attempted.failed, attempt).await,
            ..attempted
        };
        let failed: PartitionSet = attempted
            .failed
            .iter()
            .map(|(target, _)| target.ordinal)
            .collect();
        // A partition is retried as a whole: one final error among its assets makes it final.
        let final_failures: PartitionSet = attempted
            .failed
            .iter()
            .filter(|(_, error)| policy.is_none() || !error.kind().is_retryable())
            .map(|(target, _)| target.ordinal)
            .collect();
        let retried = &failed - &final_failures;
        let committed = attempted.committed;
        outcome.materialized.extend(committed.iter().cloned());
        let mut good = &*open - &failed;
        for input in &attempted.untried {
            good -= &input.partitions;
            outcome.add_untried(step, input);
        }
        // Nothing is final for a partition that is retried.
        let is_final = |target: &PartitionRef| !retried.contains(target.ordinal);
        let skipped = attempted.skipped.into_iter().filter(is_final).collect();
        let skipped = outcome.add_nothing_made(step, skipped);
        outcome.skipped |= &skipped;
        good -= &skipped;
        // The checks of a partition that is retried run again.
        let checks = attempted.checks.into_iter();
        let checks = checks.filter(|found| is_final(&found.target)).collect();
        add_finished(outcome, step, &good, checks);
        let mut failures = Vec::new();
        // Assets are recorded with each failed attempt; checks only once no retry follows.
        for (target, error) in &attempted.failed {
            let last = final_failures.contains(target.ordinal);
            if last && !committed.contains(target) {
                outcome.add_loss(step, target, LossCause::Failed);
            }
            if last {
                outcome
                    .failures
                    .push(ItemFailure::new(target.clone(), error));
            }
            if !committed.contains(target) && !step.assets.is_empty() {
                failures.push(self.failed_attempt(target, error, attempt, !last, at));
            } else if step.assets.is_empty() && last {
                let targets = std::slice::from_ref(target);
                let errored = self.errored_evaluations(step, targets, attempt, at, error);
                self.with_state_retries(|| self.ports.state.record_checks(errored.clone()))
                    .await?;
                outcome.checks.extend(errored);
            }
        }
        if !failures.is_empty() {
            self.with_state_retries(|| self.ports.state.record_failures(failures.clone()))
                .await?;
        }
        outcome.failed |= &final_failures;
        *open = retried;
        let mut failures = attempted.failed.into_iter();
        let first_retried = failures.find(|(target, _)| open.contains(target.ordinal));
        Ok(first_retried.map(|(_, error)| error))
    }

    fn failed_attempt(
        &self,
        target: &PartitionRef,
        error: &AssetError,
        attempt: u32,
        will_retry: bool,
        at: DateTime<Utc>,
    ) -> FailedAttempt {
        FailedAttempt {
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
