//! How a run ends.

use crate::{
    run::RunSession,
    state::{RunChange, RunChanged, RunStatus, StateResult},
};

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunEnd {
    /// Everything it planned was made, and no blocking check failed.
    Succeeded,
    /// Something failed.
    Failed {
        /// How many (step, partition) pairs failed.
        failed: u64,
        /// How many were not run because of those.
        held: u64,
    },
    /// It was stopped before its end. It can be resumed.
    Canceled,
}

impl RunEnd {
    /// The status that a run has then.
    pub fn status(self) -> RunStatus {
        match self {
            Self::Succeeded => RunStatus::Succeeded,
            Self::Failed { .. } => RunStatus::Failed,
            Self::Canceled => RunStatus::Canceled,
        }
    }

    /// How much failed, for a person; `None` when nothing did.
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

/// Puts down how a run ended.
///
/// # Errors
/// When the record cannot be written.
pub async fn end_run(session: &RunSession, end: RunEnd) -> StateResult<RunChanged> {
    let from = [RunStatus::Queued, RunStatus::Running, RunStatus::Canceling];
    let at = session.ports.clock.now();
    let mut change = RunChange::new(from, end.status(), at);
    if let Some(message) = end.message() {
        change = change.because(message);
    }
    session
        .persist(|| session.ports.state.change_run(session.run, change.clone()))
        .await
}
