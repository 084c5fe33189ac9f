//! [`Sessions`]: sessions with Snowflake, kept for reuse.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use snowflake_connector_rs::{Client, DynamicRow, IntoStatement, ResultCursor, Session};

use crate::{connection::SnowflakeConnection, error::SnowflakeError};

/// Longest time that a session is reused: Snowflake's tokens are valid for an hour.
const MAX_AGE: Duration = Duration::from_secs(45 * 60);

/// A pool of sessions.
pub(crate) struct Sessions {
    client: Client,
    idle: Mutex<Vec<OpenSession>>,
}

/// A session. One that is dropped rather than given back is never used again, so its open transaction is never
/// committed.
pub(crate) struct OpenSession {
    session: Session,
    since: Instant,
}

impl Sessions {
    /// Creates an empty pool.
    pub(crate) fn new(connection: &SnowflakeConnection) -> Result<Self, SnowflakeError> {
        Ok(Self {
            client: connection.create_client()?,
            idle: Mutex::default(),
        })
    }

    /// Returns a session that no one else uses, opening one if necessary.
    pub(crate) async fn take_session(&self) -> Result<OpenSession, SnowflakeError> {
        // In a closure, so that the lock is not held while a session is opened.
        let pop_idle = || {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            idle.retain(|session| session.since.elapsed() < MAX_AGE);
            idle.pop()
        };
        if let Some(session) = pop_idle() {
            return Ok(session);
        }
        Ok(OpenSession {
            session: self.client.create_session().await?,
            since: Instant::now(),
        })
    }

    /// Returns a session for reuse. It must have no open transaction, and nothing may have failed in it.
    pub(crate) fn give_back(&self, session: OpenSession) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push(session);
    }
}

impl OpenSession {
    /// Runs a statement to its end.
    pub(crate) async fn run_statement(
        &self,
        statement: impl IntoStatement,
    ) -> Result<(), SnowflakeError> {
        self.session.query(statement).await?;
        Ok(())
    }

    /// Runs a query, and returns all rows.
    pub(crate) async fn query_rows(
        &self,
        statement: impl IntoStatement,
    ) -> Result<Vec<DynamicRow>, SnowflakeError> {
        Ok(self.query_parts(statement).await?.collect().await?)
    }

    /// Runs a query whose rows are fetched in parts.
    pub(crate) async fn query_parts(
        &self,
        statement: impl IntoStatement,
    ) -> Result<ResultCursor, SnowflakeError> {
        Ok(self.session.query(statement).await?)
    }
}
