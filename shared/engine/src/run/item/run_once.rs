//! One attempt at an item.

use std::time::Duration;

use futures::future::{Either, select};
use precip_core::{
    partitions::PartitionSet,
    plan::{PlanError, Step},
};

use super::{
    ItemOutcome,
    attempt::{AttemptOutcome, fail_all, format_seconds},
    attempt_phase::AttemptPhase,
};
use crate::{
    asset::{AssetError, ErrorKind},
    run::{RunItemError, RunSession},
};

/// Time before the caller's deadline at which an attempt is canceled, so that its failure can be
/// recorded.
const MARGIN: Duration = Duration::from_secs(2);

impl RunSession {
    /// Makes one attempt at a step for some partitions, for a caller that retries itself:
    /// [`ItemOutcome::open`] holds the partitions to retry. It may be called again for the same
    /// item, concurrently or later: finished partitions are not run again.
    ///
    /// `before` is the number of the caller's earlier attempts, and `within` the time left to the
    /// caller: an attempt that is still running shortly before that counts as timed out.
    ///
    /// # Errors
    /// [`RunItemError`] when the run cannot go on.
    pub async fn run_once(
        &self,
        step: &Step,
        partitions: &PartitionSet,
        before: u32,
        within: Duration,
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
        let next = self.resume_item(step, &mut open, &mut outcome).await?;
        if open.is_empty() {
            return Ok(outcome);
        }
        // An attempt that was lost left no failure on record: the caller's count includes it.
        let number = next.max(before + 1);
        let phase = AttemptPhase::default();
        let attempt = Box::pin(self.run_attempt(op, step, &open, number, &phase));
        let limit = within.saturating_sub(MARGIN);
        let attempted = match select(attempt, self.ports.sleeper.sleep(limit)).await {
            Either::Left((attempted, _)) => attempted?,
            Either::Right(((), attempt)) => {
                // Dropped before its failure is recorded, so that it cannot commit afterwards.
                drop(attempt);
                let error = AssetError::with_kind(
                    ErrorKind::Timeout,
                    format!(
                        "given up after {}, shortly before the end of the function's time, while {}: \
                         give the op a longer timeout, or less to do",
                        format_seconds(limit),
                        phase.current(),
                    ),
                );
                AttemptOutcome {
                    failed: fail_all(&self.step_targets(step, &open), &error),
                    ..AttemptOutcome::default()
                }
            }
        };
        outcome.attempts += 1;
        // The caller counts attempts that no failure of the op ended, such as those of a throttled table.
        // The record counts those before a redrive, which starts the policy again.
        let failed = before.min(next - 1);
        let policy = op.spec.retry.filter(|policy| failed < policy.max_retries);
        outcome.retry_cause = self
            .record_outcome(step, &mut open, &mut outcome, attempted, policy, number)
            .await?;
        outcome.to_retry = open;
        Ok(outcome)
    }
}
