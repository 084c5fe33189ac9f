//! [`Database`]: a file that several threads and processes use.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak},
    time::{Duration, Instant},
};

use duckdb::{Config, Connection};

use crate::error::Failed;

/// How long a process keeps the file while it has something to do; then others have their turn.
const TURN: Duration = Duration::from_millis(250);

/// A database file.
///
/// DuckDB gives a file to one process at a time, and would let one process open it twice. So the
/// threads of a process share what is open, and it is open as long as somebody uses it. A lock on a
/// file beside it says whose turn it is; it goes with the process.
#[derive(Debug)]
pub(crate) struct Database {
    path: PathBuf,
    state: Mutex<State>,
    changed: Condvar,
    /// What is set where it is opened.
    settings: Mutex<BTreeMap<&'static str, String>>,
    /// Held by who writes: transactions that write at the same time would undo each other.
    writer: Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    open: Option<Open>,
    is_opening: bool,
    users: usize,
}

#[derive(Debug)]
struct Open {
    // In this order: the file is closed before its lock goes.
    connection: Connection,
    since: Instant,
    _lock: fs::File,
}

/// Databases of this process that are in use, by their files.
static KNOWN: Mutex<BTreeMap<PathBuf, Weak<Database>>> = Mutex::new(BTreeMap::new());

impl Database {
    /// The database in a file, which need not be there yet.
    pub(crate) fn at(path: &Path) -> Result<Arc<Self>, std::io::Error> {
        let path = std::path::absolute(path)?;
        let folder = path.parent().unwrap_or(&path);
        fs::create_dir_all(folder)?;
        // One file is one database, by whatever names it goes.
        let path = folder
            .canonicalize()?
            .join(path.file_name().unwrap_or_default());
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

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The folder that the file is in.
    pub(crate) fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(&self.path)
    }

    /// Sets something of DuckDB's, from when the file is opened the next time.
    pub(crate) fn set(&self, name: &'static str, value: String) {
        let settings = self.settings.lock();
        let mut settings = settings.unwrap_or_else(PoisonError::into_inner);
        settings.insert(name, value);
    }

    /// Reads, beside others.
    pub(crate) fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Failed>,
    ) -> Result<T, Failed> {
        let used = self.enter()?;
        work(used.connection()?)
    }

    /// Does some work in a transaction of its own, one at a time: all of it, or nothing.
    pub(crate) fn write<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Failed>,
    ) -> Result<T, Failed> {
        // What a thread that panicked had begun is undone by its connection.
        let _alone = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let used = self.enter()?;
        let connection = used.connection()?;
        // Dropped on an error, it is undone.
        let transaction = connection.unchecked_transaction()?;
        let done = work(&transaction)?;
        transaction.commit()?;
        Ok(done)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self) -> Result<Used<'_>, Failed> {
        let mut state = self.state();
        loop {
            let state_now = &mut *state;
            match &state_now.open {
                Some(open) if open.since.elapsed() < TURN => {
                    let connection = Some(open.connection.try_clone()?);
                    state_now.users += 1;
                    return Ok(Used {
                        database: self,
                        connection,
                    });
                }
                None if !state_now.is_opening => {
                    state_now.is_opening = true;
                    drop(state);
                    let opened = self.open();
                    state = self.state();
                    state.is_opening = false;
                    self.changed.notify_all();
                    state.open = Some(opened?);
                }
                // Somebody opens it; or the turn is over, and it is closed soon.
                Some(_) | None => {
                    let waited = self.changed.wait(state);
                    state = waited.unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }

    /// Waits for this process's turn.
    fn open(&self) -> Result<Open, Failed> {
        let mut lock = OsString::from(&self.path);
        lock.push(".lock");
        let lock = fs::File::create(lock)?;
        lock.lock()?;
        let mut config = Config::default();
        let settings = self.settings.lock();
        for (name, value) in settings.unwrap_or_else(PoisonError::into_inner).iter() {
            config = config.with(name, value)?;
        }
        Ok(Open {
            connection: Connection::open_with_flags(&self.path, config)?,
            since: Instant::now(),
            _lock: lock,
        })
    }
}

/// A connection to a database that is open meanwhile.
struct Used<'a> {
    database: &'a Database,
    /// There until it is dropped.
    connection: Option<Connection>,
}

impl Used<'_> {
    fn connection(&self) -> Result<&Connection, Failed> {
        let gone = || Failed::Damaged("its connection is closed".to_owned());
        self.connection.as_ref().ok_or_else(gone)
    }
}

impl Drop for Used<'_> {
    fn drop(&mut self) {
        // Before the lock goes: a file that is open in another process cannot be opened.
        drop(self.connection.take());
        let mut state = self.database.state();
        state.users -= 1;
        if state.users == 0 {
            state.open = None;
            self.database.changed.notify_all();
        }
    }
}
