//! Trying an item once.

use std::time::Duration;

use futures::future::{Either, select};
use precip_core::{
    partitions::PartitionSet,
    plan::{PlanError, Step},
};

use super::{
    ItemOutcome,
    attempt::{Tried, seconds, spread},
    doing::Doing,
};
use crate::{
    asset::{AssetError, ErrorKind},
    run::{RunItemError, RunSession},
};

/// How long before the end of its time an attempt is given up, so that this goes on record.
const MARGIN: Duration = Duration::from_secs(2);

impl RunSession {
    /// Tries one step once for some partitions, for a caller that tries again itself: what is to be
    /// tried again is [`ItemOutcome::open`]. It may be called twice for the same item, at the same
    /// time or later: what was done is not done again.
    ///
    /// `before` is how often the caller tried before, and `within` how long the caller lives: an
    /// attempt that is not done shortly before that counts as timed out.
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
        let mut outcome = ItemOutcome::default();
        let mut open = partitions.clone();
        let next = self.take_up(step, &mut open, &mut outcome).await?;
        if open.is_empty() {
            return Ok(outcome);
        }
        let number = next.max(before + 1);
        let doing = Doing::default();
        let attempt = Box::pin(self.attempt(op, step, &open, number, &doing));
        let within = within.saturating_sub(MARGIN);
        let tried = match select(attempt, self.ports.sleeper.sleep(within)).await {
            Either::Left((tried, _)) => tried?,
            Either::Right(((), attempt)) => {
                drop(attempt);
                let error = AssetError::with_kind(
                    ErrorKind::Timeout,
                    format!(
                        "given up after {}, shortly before the end of the function's time, while {}: \
                         give the op a longer timeout, or less to do",
                        seconds(within),
                        doing.phase(),
                    ),
                );
                Tried {
                    failed: spread(&self.targets(step, &open), &error),
                    ..Tried::default()
                }
            }
        };
        outcome.attempts += 1;
        let again = op.spec.retry.filter(|policy| before < policy.max_retries);
        outcome.again = self
            .settle(step, &mut open, &mut outcome, tried, again, number)
            .await?;
        outcome.open = open;
        Ok(outcome)
    }
}
