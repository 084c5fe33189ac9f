//! Opening the database.

use std::{path::Path, time::Duration};

use backon::{BlockingRetryable, ExponentialBuilder};
use precip_engine::state::{StateError, StateErrorKind};
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::error::Blame;

/// How a [`SqliteStore`](super::SqliteStore) behaves.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long a write waits for another process's write to end: 10 s, unless told otherwise.
    pub busy_timeout: Duration,
    /// The size beyond which the database does not grow, in bytes; as large as the disk, unless told
    /// otherwise. A write that does not fit fails as on a full disk.
    pub max_bytes: Option<u64>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            busy_timeout: Duration::from_secs(10),
            max_bytes: None,
        }
    }
}

/// SQLite's page size; it is set here so that `max_bytes` can be told in pages.
const PAGE_BYTES: u32 = 4096;

pub(super) fn connect(path: &Path, options: &Options) -> Result<Connection, StateError> {
    let blame = Blame::new(path);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = blame.of(Connection::open_with_flags(path, flags))?;
    blame.of(connection.busy_timeout(options.busy_timeout))?;
    // SQLite opens what it may not write for reading, and would refuse the first write only.
    if blame.of(connection.is_readonly(rusqlite::MAIN_DB))? {
        return Err(read_only(path));
    }
    blame.of(connection.pragma_update(None, "page_size", PAGE_BYTES))?;
    blame.of(log_ahead(&connection, options.busy_timeout))?;
    // A power cut may take the last commits away, but breaks nothing: what was lost is made again.
    blame.of(connection.pragma_update(None, "synchronous", "normal"))?;
    blame.of(connection.pragma_update(None, "temp_store", "memory"))?;
    if let Some(bytes) = options.max_bytes {
        let pages = u32::try_from(bytes / u64::from(PAGE_BYTES))
            .unwrap_or(u32::MAX)
            .max(1);
        blame.of(connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())))?;
    }
    connection.set_prepared_statement_cache_capacity(128);
    Ok(connection)
}

/// With a write-ahead log a reader never waits for a writer, nor a writer for readers.
///
/// The first connection of a new file switches it over. SQLite does that from within a read, where it
/// does not wait for other connections at the file (two that wait there would wait for each other) but
/// gives up at once, whatever the busy timeout says: <https://sqlite.org/c3ref/busy_handler.html>.
/// So it is asked again.
fn log_ahead(connection: &Connection, patience: Duration) -> rusqlite::Result<()> {
    let switch = || connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()));
    switch
        .retry(
            ExponentialBuilder::new()
                .with_min_delay(Duration::from_millis(1))
                .with_max_delay(Duration::from_millis(20))
                .without_max_times()
                .with_total_delay(Some(patience))
                .with_jitter(),
        )
        .when(|error| error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy))
        .call()
}

/// The folder cannot be written. The message is the same whoever finds out.
pub(crate) fn read_only(path: &Path) -> StateError {
    StateError::new(
        StateErrorKind::ReadOnly,
        format!(
            "`{}` cannot be written: give your user the right to write in `{}`, or keep the state \
             in another folder",
            path.display(),
            path.parent().unwrap_or(path).display()
        ),
    )
}
