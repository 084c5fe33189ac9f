//! [`Database`]: a database file that several threads and processes share.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak},
    time::{Duration, Instant},
};

use duckdb::{Config, Connection};

use crate::{error::DuckDbError, session::use_utc};

/// Longest time that a busy process keeps the file open before other processes get their turn.
const MAX_TURN: Duration = Duration::from_millis(250);

/// A database file.
///
/// DuckDB lets only one process open a file, but lets that process open it twice. So the threads of a process share
/// one open file, which stays open while any of them uses it. A lock on a file next to it decides which process has
/// its turn; the system releases the lock when the process ends.
#[derive(Debug)]
pub(crate) struct Database {
    path: PathBuf,
    state: Mutex<State>,
    changed: Condvar,
    /// Options to set when the file is opened.
    settings: Mutex<BTreeMap<&'static str, String>>,
    /// Held while writing: concurrent transactions that write would conflict.
    writer: Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    open: Option<OpenFile>,
    is_opening: bool,
    users: usize,
}

#[derive(Debug)]
struct OpenFile {
    // The order of the fields matters: the file is closed before the lock is released.
    connection: Connection,
    since: Instant,
    _lock: fs::File,
}

/// Databases in use by this process, by path.
static KNOWN: Mutex<BTreeMap<PathBuf, Weak<Database>>> = Mutex::new(BTreeMap::new());

impl Database {
    /// Returns the database in a file, which need not exist yet.
    pub(crate) fn open_file(path: &Path) -> Result<Arc<Self>, std::io::Error> {
        let absolute = std::path::absolute(path)?;
        let folder = absolute.parent().unwrap_or(&absolute);
        fs::create_dir_all(folder)?;
        // Different paths to one file must give one database. The file itself may not exist yet, so its folder
        // is resolved.
        let path = folder
            .canonicalize()?
            .join(absolute.file_name().unwrap_or_default());
        // Two databases on one file would not share their lock.
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(database) = known.get(&path).and_then(Weak::upgrade) {
            return Ok(database);
        }
        let database = Arc::new(Self {
            path: path.clone(),
            state: Mutex::default(),
            changed: Condvar::new(),
            settings: Mutex::default(),
            writer: Mutex::new(()),
        });
        known.insert(path, Arc::downgrade(&database));
        Ok(database)
    }

    /// Returns the path of the file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the folder of the file.
    pub(crate) fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(&self.path)
    }

    /// Sets an option of DuckDB, which applies when the file is opened next.
    pub(crate) fn set_option(&self, name: &'static str, value: String) {
        let mut settings = self.settings.lock().unwrap_or_else(PoisonError::into_inner);
        settings.insert(name, value);
    }

    /// Runs some work that reads, concurrently with other work.
    pub(crate) fn run_read<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, DuckDbError>,
    ) -> Result<T, DuckDbError> {
        let guard = self.acquire_connection()?;
        work(guard.connection()?)
    }

    /// Runs some work in a transaction that is committed if it succeeds. Only one runs at a time.
    pub(crate) fn run_write<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, DuckDbError>,
    ) -> Result<T, DuckDbError> {
        // The transaction of a thread that panicked was rolled back by its connection.
        let _alone = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let guard = self.acquire_connection()?;
        let connection = guard.connection()?;
        // Dropping it on an error rolls it back.
        let transaction = connection.unchecked_transaction()?;
        let done = work(&transaction)?;
        transaction.commit()?;
        Ok(done)
    }

    fn lock_state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns a connection to the open file, opening it if necessary.
    fn acquire_connection(&self) -> Result<ConnectionGuard<'_>, DuckDbError> {
        let mut state = self.lock_state();
        loop {
            // The guard is borrowed once, so that its fields can be borrowed separately.
            let state_now = &mut *state;
            match &state_now.open {
                Some(open) if open.since.elapsed() < MAX_TURN => {
                    let connection = Some(open.connection.try_clone()?);
                    state_now.users += 1;
                    return Ok(ConnectionGuard {
                        database: self,
                        connection,
                    });
                }
                None if !state_now.is_opening => {
                    // Opening waits for other processes, so it happens without the lock of the state.
                    state_now.is_opening = true;
                    drop(state);
                    let opened = self.open_connection();
                    state = self.lock_state();
                    state.is_opening = false;
                    self.changed.notify_all();
                    state.open = Some(opened?);
                }
                // Another thread is opening the file; or the turn is over, and it is about to be closed.
                Some(_) | None => {
                    let waited = self.changed.wait(state);
                    state = waited.unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }

    /// Waits for the turn of this process, and opens the file.
    fn open_connection(&self) -> Result<OpenFile, DuckDbError> {
        let mut lock_path = OsString::from(&self.path);
        lock_path.push(".lock");
        let lock = fs::File::create(lock_path)?;
        lock.lock()?;
        let mut config = Config::default();
        let settings = self.settings.lock();
        for (name, value) in settings.unwrap_or_else(PoisonError::into_inner).iter() {
            config = config.with(name, value)?;
        }
        let connection = Connection::open_with_flags(&self.path, config)?;
        use_utc(&connection)?;
        Ok(OpenFile {
            connection,
            since: Instant::now(),
            _lock: lock,
        })
    }
}

/// A connection, which keeps the file open until it is dropped.
struct ConnectionGuard<'a> {
    database: &'a Database,
    /// `Some` until it is dropped.
    connection: Option<Connection>,
}

impl ConnectionGuard<'_> {
    fn connection(&self) -> Result<&Connection, DuckDbError> {
        let closed = || DuckDbError::Damaged("its connection is closed".to_owned());
        self.connection.as_ref().ok_or_else(closed)
    }
}

impl Drop for ConnectionGuard<'_> {
    fn drop(&mut self) {
        // The connection is closed before the lock is released, or another process could not open the file.
        drop(self.connection.take());
        let mut state = self.database.lock_state();
        // The last user closes the file, which lets other processes have their turn.
        state.users -= 1;
        if state.users == 0 {
            state.open = None;
            self.database.changed.notify_all();
        }
    }
}
