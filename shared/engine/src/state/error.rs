//! [`StateError`].

use std::{error::Error, fmt, sync::Arc};

/// What the caller has to do about a [`StateError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StateErrorKind {
    /// A passing trouble (throttled, timed out, connection lost). Call again: every call of the port
    /// may be repeated.
    Retry,
    /// Another process holds the store and did not let go in time. Wait for it, or end it.
    Locked,
    /// There is no room left to write. Make room; nothing was written.
    Full,
    /// The store may be read but not written. Give the right to write, or use another place.
    ReadOnly,
    /// What is stored cannot be read back. Restore it, or move it away and begin anew.
    Corrupt,
    /// The store was written by a newer version. Use that version.
    NewerSchema,
    /// What the call names is not there.
    NotFound,
    /// The call contradicts what is stored; look again and decide anew. Repeating it does not help.
    Conflict,
    /// What is to be stored is larger than a record may be. Store less.
    TooLarge,
    /// The store cannot be reached, or not with these rights: its address, its credentials or its
    /// folder are wrong.
    Unavailable,
}

impl StateErrorKind {
    /// Whether the same call, made again a little later, may succeed with nobody's help.
    pub fn is_retryable(self) -> bool {
        matches!(self, Self::Retry | Self::Locked)
    }
}

/// A [`StateStore`](super::StateStore) that could not do what it was asked.
///
/// The message is for a person and says what to do; the [kind](Self::kind) is for the caller.
#[derive(Clone)]
pub struct StateError {
    kind: StateErrorKind,
    message: String,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl StateError {
    /// An error with a message that says what was wrong, where, and what to do.
    pub fn new(kind: StateErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            source: None,
        }
    }

    /// Adds what led to it.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(Arc::from(source.into()));
        self
    }

    /// What the caller has to do.
    pub fn kind(&self) -> StateErrorKind {
        self.kind
    }

    /// A run that the store does not know.
    pub fn unknown_run(run: crate::run_id::RunId) -> Self {
        Self::new(
            StateErrorKind::NotFound,
            format!("there is no run `{run}` in this store; list the runs to see which there are"),
        )
    }
}

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.kind, self.message)?;
        match &self.source {
            Some(source) => write!(f, " (because: {source})"),
            None => Ok(()),
        }
    }
}

impl Error for StateError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
