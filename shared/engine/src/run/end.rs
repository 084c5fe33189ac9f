//! The end of a run.

use crate::{
    run::RunSession,
    state::{RunChange, RunChanged, RunStatus, StateResult},
};

/// The outcome of a whole run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunEnd {
    /// All planned partitions were materialized, and no blocking check failed.
    Succeeded,
    /// At least one partition failed.
    Failed {
        /// Number of failed (step, partition) pairs.
        failed: u64,
        /// Number of (step, partition) pairs that were held back because of failures.
        held: u64,
    },
    /// The run was stopped before its end. It can be resumed.
    Canceled,
}

impl RunEnd {
    /// Returns the status of a run that ended so.
    pub fn status(self) -> RunStatus {
        match self {
            Self::Succeeded => RunStatus::Succeeded,
            Self::Failed { .. } => RunStatus::Failed,
            Self::Canceled => RunStatus::Canceled,
        }
    }

    /// Returns a summary of the failures; `None` when nothing failed.
    pub fn message(self) -> Option<String> {
        match self {
            Self::Failed { failed, held: 0 } => Some(format!("{failed} failed")),
            Self::Failed { failed, held } => {
                Some(format!("{failed} failed, and {held} depend on those"))
            }
            Self::Succeeded | Self::Canceled => None,
        }
    }
}

/// Records the end of a run.
///
/// # Errors
/// When the state store cannot be written.
pub async fn end_run(session: &RunSession, end: RunEnd) -> StateResult<RunChanged> {
    let from = [RunStatus::Queued, RunStatus::Running, RunStatus::Canceling];
    let at = session.ports.clock.now();
    let mut change = RunChange::new(from, end.status(), at);
    if let Some(message) = end.message() {
        change = change.with_message(message);
    }
    session
        .with_state_retries(|| session.ports.state.change_run(session.run, change.clone()))
        .await
}
