//! What an attempt is doing.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

/// What an attempt is doing right now, for who has to give up on it.
#[derive(Debug, Default)]
pub(super) struct Doing(Mutex<Phase>);

/// A part of an attempt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Phase {
    /// Reads what the function takes.
    #[default]
    Loading,
    /// The function is at work.
    Calling,
    /// Writes what the function made, and publishes it.
    Storing,
}

impl Doing {
    pub(super) fn now(&self, phase: Phase) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = phase;
    }

    pub(super) fn phase(&self) -> Phase {
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
