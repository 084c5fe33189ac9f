//! [`StateError`].

use std::{error::Error, fmt, sync::Arc};

/// The kind of a [`StateError`], which determines the caller's next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StateErrorKind {
    /// A transient failure (throttled, timed out, connection lost). Call again: every call of the
    /// port may be repeated.
    Retry,
    /// Another process holds the store's lock. Wait for that process, or end it.
    Locked,
    /// The store is full, and nothing was written. Free some space.
    Full,
    /// The store is read-only. Grant write access, or use another location.
    ReadOnly,
    /// Stored data cannot be decoded. Restore it, or move it away and start with an empty store.
    Corrupt,
    /// The store was written by a newer version. Use that version.
    NewerSchema,
    /// The call names a record that does not exist.
    NotFound,
    /// The call contradicts stored data. Read it again and decide again; repeating the call does
    /// not help.
    Conflict,
    /// The record exceeds the size limit. Store less.
    TooLarge,
    /// The store cannot be reached, or not with these permissions: its address, credentials or
    /// folder are wrong.
    Unavailable,
}

impl StateErrorKind {
    /// Returns `true` if repeating the call a little later may succeed without intervention.
    pub fn is_retryable(self) -> bool {
        matches!(self, Self::Retry | Self::Locked)
    }
}

/// A failed call of a [`StateStore`](super::StateStore).
///
/// The message tells a person what to do; the [kind](Self::kind) tells the caller.
#[derive(Clone)]
pub struct StateError {
    kind: StateErrorKind,
    message: String,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl StateError {
    /// Creates an error. The message says what was wrong, where, and what to do.
    pub fn new(kind: StateErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            source: None,
        }
    }

    /// Sets the underlying error.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(Arc::from(source.into()));
        self
    }

    /// Returns the kind of the error.
    pub fn kind(&self) -> StateErrorKind {
        self.kind
    }

    /// Creates the error for an unknown run.
    pub fn unknown_run(run: crate::run_id::RunId) -> Self {
        Self::new(
            StateErrorKind::NotFound,
            format!("there is no run `{run}` in this store: `runs` lists the runs that it has"),
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
