//! [`Sessions`]: what is open towards Snowflake, to be used again.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use snowflake_connector_rs::{Client, DynamicRow, IntoStatement, ResultCursor, Session};

use crate::{connection::SnowflakeConnection, error::Failed};

/// How long a session is used: Snowflake's tokens hold for an hour.
const HOLDS: Duration = Duration::from_secs(45 * 60);

pub(crate) struct Sessions {
    client: Client,
    idle: Mutex<Vec<Open>>,
}

/// A session. Whoever does not give it back ends its use: what it had begun is never committed.
pub(crate) struct Open {
    session: Session,
    since: Instant,
}

impl Sessions {
    pub(crate) fn of(connection: &SnowflakeConnection) -> Result<Self, Failed> {
        Ok(Self {
            client: connection.client()?,
            idle: Mutex::default(),
        })
    }

    /// One for the caller alone.
    pub(crate) async fn take(&self) -> Result<Open, Failed> {
        let idle = || {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            idle.retain(|open| open.since.elapsed() < HOLDS);
            idle.pop()
        };
        if let Some(open) = idle() {
            return Ok(open);
        }
        Ok(Open {
            session: self.client.create_session().await?,
            since: Instant::now(),
        })
    }

    /// For the next who takes one. Nothing may have been begun in it, and nothing have failed.
    pub(crate) fn give_back(&self, open: Open) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push(open);
    }
}

impl Open {
    /// Runs one statement, to its end.
    pub(crate) async fn run(&self, statement: impl IntoStatement) -> Result<(), Failed> {
        self.session.query(statement).await?;
        Ok(())
    }

    /// Runs one query.
    pub(crate) async fn rows(
        &self,
        statement: impl IntoStatement,
    ) -> Result<Vec<DynamicRow>, Failed> {
        Ok(self.parts(statement).await?.collect().await?)
    }

    /// Runs one query, whose rows are fetched in the parts that Snowflake made of them.
    pub(crate) async fn parts(
        &self,
        statement: impl IntoStatement,
    ) -> Result<ResultCursor, Failed> {
        Ok(self.session.query(statement).await?)
    }
}
