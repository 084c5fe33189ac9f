//! How an asset's function fails.

use std::{error::Error, fmt};

use serde::{Deserialize, Serialize};

use crate::asset::{InvalidConfig, InvalidPartitionUse};

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
/// Like `anyhow::Error` it is no [`std::error::Error`] itself, so that `?` converts every other. It
/// goes through a boxed error, `anyhow`'s and the like, without losing what it means.
#[derive(Clone)]
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

    /// Takes any error that can be boxed, a string and an `anyhow::Error` among them. Errors that a
    /// retry cannot help whatever the function says ([`InvalidPartitionUse`], [`InvalidConfig`])
    /// are terminal.
    pub fn from_boxed(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let error = match error.into().downcast::<Carried>() {
            Ok(carried) => return carried.0,
            Err(error) => error,
        };
        let always_terminal = error.is::<InvalidPartitionUse>() || error.is::<InvalidConfig>();
        Self {
            kind: if always_terminal {
                ErrorKind::Terminal
            } else {
                ErrorKind::Retryable
            },
            message: error.to_string(),
            causes: std::iter::successors(error.source(), |cause| Error::source(*cause))
                .map(ToString::to_string)
                .collect(),
        }
    }

    /// The same failure as one that a retry cannot help.
    #[must_use]
    pub fn into_terminal(self) -> Self {
        Self {
            kind: ErrorKind::Terminal,
            ..self
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

impl<E: Error + Send + Sync + 'static> From<E> for AssetError {
    fn from(error: E) -> Self {
        Self::from_boxed(error)
    }
}

impl From<AssetError> for Box<dyn Error + Send + Sync> {
    fn from(error: AssetError) -> Self {
        Box::new(Carried(error))
    }
}

/// An [`AssetError`] inside a boxed error.
struct Carried(AssetError);

impl Error for Carried {}

impl fmt::Display for Carried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Carried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
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
///
/// ```
/// use precip_engine::asset::{AssetError, Terminal};
///
/// fn port(text: &str) -> Result<u16, AssetError> {
///     text.parse::<u16>().terminal()
/// }
/// assert!(!port("http").unwrap_err().kind().is_retryable());
/// ```
pub trait Terminal<T> {
    /// Makes the error, if there is one, [`ErrorKind::Terminal`].
    ///
    /// # Errors
    /// The error it was called on.
    fn terminal(self) -> Result<T, AssetError>;
}

impl<T, E: Into<Box<dyn Error + Send + Sync>>> Terminal<T> for Result<T, E> {
    fn terminal(self) -> Result<T, AssetError> {
        self.map_err(|error| AssetError::from_boxed(error).into_terminal())
    }
}

#[cfg(test)]
mod tests;
