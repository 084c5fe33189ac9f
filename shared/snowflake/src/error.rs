//! [`Failed`]: why something was not done in Snowflake.

use precip_engine::io::{Address, IoError};
use precip_io::tables::whose;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failed {
    /// It cannot be done, however often it is tried. The text says what can.
    #[error("{0}")]
    Refused(String),
    /// Snowflake says no, or is not in reach.
    #[error("{}", words(.0))]
    Snowflake(Box<snowflake_connector_rs::Error>),
    /// What came out of the database is not what was put in.
    #[error("the database holds something else than was stored: {0}")]
    Damaged(String),
    /// The task that does it was stopped.
    #[error("it was stopped on the way")]
    Stopped(#[from] tokio::task::JoinError),
}

/// Snowflake's own words, as far as there are any.
fn words(error: &snowflake_connector_rs::Error) -> String {
    let said = error.snowflake_message().map(str::to_owned);
    said.unwrap_or_else(|| error.to_string())
}

impl From<snowflake_connector_rs::Error> for Failed {
    fn from(error: snowflake_connector_rs::Error) -> Self {
        Self::Snowflake(Box::new(error))
    }
}

impl From<arrow_schema::ArrowError> for Failed {
    fn from(error: arrow_schema::ArrowError) -> Self {
        Self::Damaged(error.to_string())
    }
}

impl From<serde_json::Error> for Failed {
    fn from(error: serde_json::Error) -> Self {
        Self::Damaged(error.to_string())
    }
}

impl Failed {
    /// Whether there is no such table or schema, or none for this role.
    pub(crate) fn is_missing(&self) -> bool {
        self.says("does not exist")
    }

    /// Whether somebody else has made it meanwhile.
    pub(crate) fn is_there_already(&self) -> bool {
        self.says("already exists")
    }

    fn says(&self, what: &str) -> bool {
        match self {
            Self::Snowflake(error) => words(error).contains(what),
            _ => false,
        }
    }

    /// The same for who called the manager.
    pub(crate) fn at(self, address: &Address, doing: &str, database: &str) -> IoError {
        let whose = whose(address);
        match self {
            Self::Refused(message) => IoError::Unsupported {
                message: format!("{whose}: {message}"),
            },
            other => IoError::Failed {
                message: format!("{whose}: failed to {doing} Snowflake's {database}"),
                source: Box::new(other),
            },
        }
    }
}
