//! Connections to the database.

use std::{path::Path, time::Duration};

use backon::{BlockingRetryable, ExponentialBuilder};
use precip_engine::state::{StateError, StateErrorKind};
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::error::ErrorMapper;
use crate::home::ensure_private_file;

/// Options of a [`SqliteStore`](super::SqliteStore).
#[derive(Debug, Clone)]
pub struct SqliteOptions {
    /// The time for which a write waits for another process's write to end; 10 s by default.
    pub busy_timeout: Duration,
    /// The largest size of the database in bytes; unlimited by default. A write that does not fit
    /// fails as on a full disk.
    pub max_bytes: Option<u64>,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            busy_timeout: Duration::from_secs(10),
            max_bytes: None,
        }
    }
}

/// SQLite's page size in bytes. It is set explicitly because `max_bytes` is enforced in pages.
const PAGE_BYTES: u32 = 4096;

/// Opens a connection, creating the file if it is missing.
pub(super) fn open_connection(
    path: &Path,
    options: &SqliteOptions,
) -> Result<Connection, StateError> {
    let errors = ErrorMapper::new(path);
    // SQLite gives the files next to the database the rights of the database. If the file cannot be created, SQLite's
    // own error says why.
    let _ = ensure_private_file(path);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = errors.map_result(Connection::open_with_flags(path, flags))?;
    errors.map_result(connection.busy_timeout(options.busy_timeout))?;
    // SQLite opens a file that it may not write for reading, and would only refuse the first write.
    if errors.map_result(connection.is_readonly(rusqlite::MAIN_DB))? {
        return Err(read_only(path));
    }
    errors.map_result(connection.pragma_update(None, "page_size", PAGE_BYTES))?;
    errors.map_result(log_ahead(&connection, options.busy_timeout))?;
    // A power cut may lose the last commits, and damages nothing: lost partitions are made again.
    errors.map_result(connection.pragma_update(None, "synchronous", "normal"))?;
    errors.map_result(connection.pragma_update(None, "temp_store", "memory"))?;
    if let Some(bytes) = options.max_bytes {
        let pages = u32::try_from(bytes / u64::from(PAGE_BYTES))
            // SQLite takes 0 as a question, not as a limit.
            .unwrap_or(u32::MAX)
            .max(1);
        errors.map_result(connection.pragma_update_and_check(
            None,
            "max_page_count",
            pages,
            |_| Ok(()),
        ))?;
    }
    connection.set_prepared_statement_cache_capacity(128);
    Ok(connection)
}

/// Copies a database that cannot be written into a file, with everything in its write-ahead log.
pub(super) fn copy_database(from: &Path, to: &Path) -> Result<(), StateError> {
    if copy_by_sqlite(from, to).is_ok() {
        return Ok(());
    }
    // Reading a write-ahead log needs a file of shared memory, which cannot be created here. Without that file no
    // process uses the database, so copies of its files belong together.
    let log = |path: &Path| {
        let mut path = path.as_os_str().to_owned();
        path.push("-wal");
        path
    };
    let copied = std::fs::copy(from, to).and_then(|_| match std::fs::copy(log(from), log(to)) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        copied => copied.map(drop),
    });
    // A copy has the rights of its original, which may be read-only.
    let writable = copied.and_then(|()| {
        for path in [to.as_os_str().to_owned(), log(to)] {
            make_writable(Path::new(&path))?;
        }
        Ok(())
    });
    writable.map_err(|error| {
        StateError::new(
            StateErrorKind::Unavailable,
            format!(
                "`{}` cannot be written, and reading a copy of it failed: {error}; make room in the folder for \
                 temporary files, or ask its owner for the right to read it",
                from.display()
            ),
        )
        .with_source(error)
    })
}

/// Copies a database that other processes may be writing.
fn copy_by_sqlite(from: &Path, to: &Path) -> rusqlite::Result<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(from, flags)?;
    connection.busy_timeout(SqliteOptions::default().busy_timeout)?;
    connection.execute("VACUUM INTO ?1", [to.to_string_lossy()])?;
    Ok(())
}

fn make_writable(path: &Path) -> std::io::Result<()> {
    match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        found => {
            let mut permissions = found?.permissions();
            #[cfg(unix)]
            std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o600);
            #[cfg(not(unix))]
            permissions.set_readonly(false);
            std::fs::set_permissions(path, permissions)
        }
    }
}

/// Switches the database to a write-ahead log, in which readers and the writer never wait for each other.
///
/// The first connection to a new file makes the switch. SQLite makes it within a read, where it does not
/// wait for other connections, since two that wait there would deadlock, but fails at once, whatever the
/// busy timeout: <https://sqlite.org/c3ref/busy_handler.html>. So the switch is retried here.
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

/// Reports that the file cannot be written, in the same words as SQLite's own refusal.
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
