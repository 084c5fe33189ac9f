//! How an asset's function fails.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a failure means for a retry. The names are what Step Functions matches in `ErrorEquals`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ErrorKind {
    /// Trying again may help: the op's retry policy applies.
    #[serde(rename = "Precip.Retryable")]
    Retryable,
    /// Trying again cannot help.
    #[serde(rename = "Precip.Terminal")]
    Terminal,
    /// The function panicked; it is tried again like [`Self::Retryable`].
    #[serde(rename = "Precip.Panic")]
    Panic,
    /// The attempt took longer than the op's timeout; it is tried again.
    #[serde(rename = "Precip.Timeout")]
    Timeout,
}

impl ErrorKind {
    /// The fixed name, such as `Precip.Retryable`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Retryable => "Precip.Retryable",
            Self::Terminal => "Precip.Terminal",
            Self::Panic => "Precip.Panic",
            Self::Timeout => "Precip.Timeout",
        }
    }

    /// Whether the op's retry policy applies.
    pub fn is_retryable(self) -> bool {
        !matches!(self, Self::Terminal)
    }
}

/// A failure of an asset's function. Any error becomes one by `?`, and is then retryable;
/// [`Terminal::terminal`] marks one that a retry cannot help.
///
/// Like `anyhow::Error` it is no [`std::error::Error`] itself, so that `?` converts every other.
pub struct AssetError {
    kind: ErrorKind,
    message: String,
    causes: Vec<String>,
}

impl AssetError {
    /// A failure that trying again may help.
    pub fn retryable(message: impl Into<String>) -> Self {
        Self::with_kind(ErrorKind::Retryable, message)
    }

    /// A failure that trying again cannot help.
    pub fn terminal(message: impl Into<String>) -> Self {
        Self::with_kind(ErrorKind::Terminal, message)
    }

    /// A failure of a kind.
    pub fn with_kind(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            causes: Vec::new(),
        }
    }

    /// What it means for a retry.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What went wrong.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What led to it, nearest first.
    pub fn causes(&self) -> &[String] {
        &self.causes
    }
}

impl<E: std::error::Error> From<E> for AssetError {
    fn from(error: E) -> Self {
        let causes = std::iter::successors(error.source(), |cause| cause.source())
            .map(ToString::to_string)
            .collect();
        Self {
            kind: ErrorKind::Retryable,
            message: error.to_string(),
            causes,
        }
    }
}

impl fmt::Display for AssetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for AssetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.name(), self.message)?;
        self.causes
            .iter()
            .try_for_each(|cause| write!(f, "\n  caused by: {cause}"))
    }
}

/// Marks failures that a retry cannot help.
pub trait Terminal<T> {
    /// Makes the error, if there is one, [`ErrorKind::Terminal`].
    ///
    /// # Errors
    /// The error it was called on.
    fn terminal(self) -> Result<T, AssetError>;
}

impl<T, E: Into<AssetError>> Terminal<T> for Result<T, E> {
    fn terminal(self) -> Result<T, AssetError> {
        self.map_err(|error| AssetError {
            kind: ErrorKind::Terminal,
            ..error.into()
        })
    }
}
