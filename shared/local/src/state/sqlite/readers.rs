//! A pool of reading connections. They see the last commit, and never wait for the writer.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use precip_engine::state::{StateError, StateErrorKind};
use rusqlite::Connection;

use super::{error::ErrorMapper, open::SqliteOptions, read::Read};

/// The pool: it keeps idle connections, and opens more as they are needed.
#[derive(Debug, Clone)]
pub(super) struct Readers {
    path: PathBuf,
    options: SqliteOptions,
    idle: Arc<Mutex<Vec<Connection>>>,
}

/// The most idle connections that are kept.
const MAX_IDLE: usize = 8;

impl Readers {
    pub(super) fn new(path: PathBuf, options: SqliteOptions) -> Self {
        Self {
            path,
            options,
            idle: Arc::default(),
        }
    }

    /// Runs `work` on a consistent view of the database, on a thread where blocking is allowed.
    pub(super) async fn run_read<T, F>(&self, work: F) -> Result<T, StateError>
    where
        T: Send + 'static,
        F: FnOnce(&Read<'_>) -> Result<T, StateError> + Send + 'static,
    {
        let readers = self.clone();
        let done = tokio::task::spawn_blocking(move || readers.read_blocking(work)).await;
        // The task fails only if it panics or the runtime shuts down.
        done.map_err(|source| {
            StateError::new(StateErrorKind::Retry, "reading the state was interrupted")
                .with_source(source)
        })?
    }

    fn read_blocking<T>(
        &self,
        work: impl FnOnce(&Read<'_>) -> Result<T, StateError>,
    ) -> Result<T, StateError> {
        let errors = ErrorMapper::new(&self.path);
        let idle = self.lock_idle().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => super::open::open_connection(&self.path, &self.options)?,
        };
        // The transaction makes all reads of `work` see one commit. A connection that fails to end it is
        // dropped rather than kept.
        errors.map_result(connection.execute_batch("BEGIN"))?;
        let answer = work(&Read::new(&connection, &errors));
        // Nothing was written, so a rollback ends the view.
        errors.map_result(connection.execute_batch("ROLLBACK"))?;
        let mut idle = self.lock_idle();
        if idle.len() < MAX_IDLE {
            idle.push(connection);
        }
        answer
    }

    fn lock_idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
