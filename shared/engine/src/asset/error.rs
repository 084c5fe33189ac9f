//! [`AssetError`]: the failure of an asset's function.

use std::{error::Error, fmt};

use serde::{Deserialize, Serialize};

use crate::asset::{InvalidConfig, InvalidPartitionUse};

/// The kind of a failure, which decides about a retry. Step Functions matches the names in
/// `ErrorEquals`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ErrorKind {
    /// A retry may help: the op's retry policy applies.
    #[serde(rename = "Precip.Retryable")]
    Retryable,
    /// A retry cannot help.
    #[serde(rename = "Precip.Terminal")]
    Terminal,
    /// The function panicked. Retried like [`Self::Retryable`].
    #[serde(rename = "Precip.Panic")]
    Panic,
    /// The attempt exceeded the op's timeout. Retried like [`Self::Retryable`].
    #[serde(rename = "Precip.Timeout")]
    Timeout,
}

impl ErrorKind {
    /// Returns the fixed name, such as `Precip.Retryable`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Retryable => "Precip.Retryable",
            Self::Terminal => "Precip.Terminal",
            Self::Panic => "Precip.Panic",
            Self::Timeout => "Precip.Timeout",
        }
    }

    /// Returns `true` if the op's retry policy applies.
    pub fn is_retryable(self) -> bool {
        !matches!(self, Self::Terminal)
    }
}

/// A failure of an asset's function. `?` converts any error into a retryable failure;
/// [`Terminal::terminal`] marks a failure that a retry cannot help.
///
/// Like `anyhow::Error` it does not implement [`std::error::Error`], so that `?` converts every
/// other error. It keeps its kind inside a boxed error such as `anyhow`'s.
#[derive(Clone)]
pub struct AssetError {
    kind: ErrorKind,
    message: String,
    causes: Vec<String>,
}

impl AssetError {
    /// Creates a failure that a retry may help.
    pub fn retryable(message: impl Into<String>) -> Self {
        Self::with_kind(ErrorKind::Retryable, message)
    }

    /// Creates a failure that a retry cannot help.
    pub fn terminal(message: impl Into<String>) -> Self {
        Self::with_kind(ErrorKind::Terminal, message)
    }

    /// Creates a failure of a kind.
    pub fn with_kind(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            causes: Vec::new(),
        }
    }

    /// Converts any error that can be boxed, including strings and `anyhow::Error`.
    /// [`InvalidPartitionUse`] and [`InvalidConfig`] are always terminal.
    pub fn from_boxed(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        // An `AssetError` that was boxed on the way keeps its kind.
        let foreign = match error.into().downcast::<Carried>() {
            Ok(carried) => return carried.0,
            Err(foreign) => foreign,
        };
        let always_terminal = foreign.is::<InvalidPartitionUse>() || foreign.is::<InvalidConfig>();
        Self {
            kind: if always_terminal {
                ErrorKind::Terminal
            } else {
                ErrorKind::Retryable
            },
            message: foreign.to_string(),
            causes: std::iter::successors(foreign.source(), |cause| Error::source(*cause))
                .map(ToString::to_string)
                .collect(),
        }
    }

    /// Converts it into a failure that a retry cannot help.
    #[must_use]
    pub fn into_terminal(self) -> Self {
        Self {
            kind: ErrorKind::Terminal,
            ..self
        }
    }

    /// Returns the failure with other causes, nearest first.
    #[must_use]
    pub(crate) fn with_causes(self, causes: Vec<String>) -> Self {
        Self { causes, ..self }
    }

    /// Returns the kind.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Returns the message.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns the underlying errors, nearest first.
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
    /// Converts the error, if any, into one of kind [`ErrorKind::Terminal`].
    ///
    /// # Errors
    /// The error of `self`, as a terminal one.
    fn terminal(self) -> Result<T, AssetError>;
}

impl<T, E: Into<Box<dyn Error + Send + Sync>>> Terminal<T> for Result<T, E> {
    fn terminal(self) -> Result<T, AssetError> {
        self.map_err(|error| AssetError::from_boxed(error).into_terminal())
    }
}

#[cfg(test)]
mod tests;
