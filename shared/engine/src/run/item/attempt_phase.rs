//! [`AttemptPhase`].

use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

/// The current phase of an attempt, shared with the timer that cancels it.
#[derive(Debug, Default)]
pub(super) struct AttemptPhase(Mutex<Phase>);

/// A phase of an attempt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Phase {
    /// The inputs are loaded.
    #[default]
    Loading,
    /// The op's function runs.
    Calling,
    /// The outputs are stored and published.
    Storing,
}

impl AttemptPhase {
    /// Enters a phase.
    pub(super) fn enter(&self, phase: Phase) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = phase;
    }

    /// Returns the current phase.
    pub(super) fn current(&self) -> Phase {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Loading => "loading its inputs",
            Self::Calling => "calling the function",
            Self::Storing => "storing what the function made",
        })
    }
}
