//! Connections that read: they see the last commit, and no writer holds them up.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use precip_engine::state::{StateError, StateErrorKind};
use rusqlite::Connection;

use super::{error::Blame, open::Options, read::Read};

/// Connections that nobody uses at the moment; more are opened as they are needed.
#[derive(Debug, Clone)]
pub(super) struct Readers {
    path: PathBuf,
    options: Options,
    idle: Arc<Mutex<Vec<Connection>>>,
}

/// How many idle connections are kept.
const MAX_IDLE: usize = 8;

impl Readers {
    pub(super) fn new(path: PathBuf, options: Options) -> Self {
        Self {
            path,
            options,
            idle: Arc::default(),
        }
    }

    /// Reads, all from one state of the database, on a thread where waiting holds nobody up.
    pub(super) async fn read<T, F>(&self, work: F) -> Result<T, StateError>
    where
        T: Send + 'static,
        F: FnOnce(&Read<'_>) -> Result<T, StateError> + Send + 'static,
    {
        let readers = self.clone();
        let done = tokio::task::spawn_blocking(move || readers.read_here(work)).await;
        done.map_err(|source| {
            StateError::new(StateErrorKind::Retry, "reading the state was cut short")
                .because(source)
        })?
    }

    fn read_here<T>(
        &self,
        work: impl FnOnce(&Read<'_>) -> Result<T, StateError>,
    ) -> Result<T, StateError> {
        let blame = Blame::new(&self.path);
        let idle = self.idle().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => super::open::connect(&self.path, &self.options)?,
        };
        blame.of(connection.execute_batch("BEGIN"))?;
        let answer = work(&Read::new(&connection, &blame));
        blame.of(connection.execute_batch("ROLLBACK"))?;
        let mut idle = self.idle();
        if idle.len() < MAX_IDLE {
            idle.push(connection);
        }
        answer
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
