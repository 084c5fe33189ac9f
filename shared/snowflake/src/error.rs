//! [`SnowflakeError`].

use precip_engine::io::{Address, IoError};
use precip_io::tables::describe_address;

/// A failure of an operation in Snowflake.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SnowflakeError {
    /// The operation is not possible; retrying cannot help. The text says what is possible instead.
    #[error("{0}")]
    Refused(String),
    /// Snowflake returned an error, or is unreachable.
    #[error("{}", error_text(.0))]
    Snowflake(Box<snowflake_connector_rs::Error>),
    /// The data read is not the data that was stored.
    #[error("the database does not hold what was stored: {0}")]
    Damaged(String),
    /// The task of the operation was stopped.
    #[error("it was stopped before it completed")]
    Stopped(#[from] tokio::task::JoinError),
}

/// Returns the message of Snowflake, if the error has one.
fn error_text(error: &snowflake_connector_rs::Error) -> String {
    let message = error.snowflake_message().map(str::to_owned);
    message.unwrap_or_else(|| error.to_string())
}

impl From<snowflake_connector_rs::Error> for SnowflakeError {
    fn from(error: snowflake_connector_rs::Error) -> Self {
        Self::Snowflake(Box::new(error))
    }
}

impl From<arrow_schema::ArrowError> for SnowflakeError {
    fn from(error: arrow_schema::ArrowError) -> Self {
        Self::Damaged(error.to_string())
    }
}

impl From<serde_json::Error> for SnowflakeError {
    fn from(error: serde_json::Error) -> Self {
        Self::Damaged(error.to_string())
    }
}

impl SnowflakeError {
    /// Returns `true` if the table or schema does not exist, or is not visible to the role.
    pub(crate) fn is_missing(&self) -> bool {
        self.message_contains("does not exist")
    }

    /// Returns `true` if another session has created the object meanwhile.
    pub(crate) fn already_exists(&self) -> bool {
        self.message_contains("already exists")
    }

    fn message_contains(&self, text: &str) -> bool {
        match self {
            Self::Snowflake(error) => error_text(error).contains(text),
            _ => false,
        }
    }

    /// Converts the error for the caller of the manager, adding the address and the operation.
    pub(crate) fn into_io_error(self, address: &Address, doing: &str, database: &str) -> IoError {
        let subject = describe_address(address);
        match self {
            Self::Refused(message) => IoError::Unsupported {
                message: format!("{subject}: {message}"),
            },
            other => IoError::Failed {
                message: format!("{subject}: failed to {doing} Snowflake's {database}"),
                source: Box::new(other),
            },
        }
    }
}
