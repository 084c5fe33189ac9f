//! The schema, and the migration from older versions.

use std::path::Path;

use precip_engine::state::{StateError, StateErrorKind};
use rusqlite::{Connection, TransactionBehavior};

use super::error::ErrorMapper;

/// The application id in a file's header (`Prcp`), so that another program's database is never touched.
const APPLICATION_ID: i32 = i32::from_be_bytes(*b"Prcp");

/// The migrations, each from one version to the next. Released migrations never change.
const MIGRATIONS: [&str; 3] = [
    include_str!("schema.sql"),
    include_str!("schema_2.sql"),
    include_str!("schema_3.sql"),
];

/// Migrates a database to the present version, or refuses it.
pub(super) fn migrate_schema(connection: &mut Connection, path: &Path) -> Result<(), StateError> {
    let errors = ErrorMapper::new(path);
    if errors.map_result(schema_version(connection))? == MIGRATIONS.len() {
        // The usual case takes no write lock.
        return check_owner(connection, path);
    }
    let change =
        errors.map_result(connection.transaction_with_behavior(TransactionBehavior::Immediate))?;
    // Another process may have migrated it in the meantime.
    let version = errors.map_result(schema_version(&change))?;
    if version > MIGRATIONS.len() {
        return Err(StateError::new(
            StateErrorKind::NewerSchema,
            format!(
                "`{}` was written by a newer version of precip (schema {version}, this one knows \
                 up to {}): use that version, or another folder for this one",
                path.display(),
                MIGRATIONS.len()
            ),
        ));
    }
    if version > 0 || errors.map_result(holds_tables(&change))? {
        // An empty file may be adopted; one with tables must be ours.
        check_owner(&change, path)?;
    }
    for migration in MIGRATIONS.iter().skip(version) {
        errors.map_result(change.execute_batch(migration))?;
    }
    errors.map_result(change.pragma_update(None, "application_id", APPLICATION_ID))?;
    errors.map_result(change.pragma_update(None, "user_version", MIGRATIONS.len() as u32))?;
    errors.map_result(change.commit())
}

fn schema_version(connection: &Connection) -> rusqlite::Result<usize> {
    let version: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    Ok(version as usize)
}

fn holds_tables(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
}

fn check_owner(connection: &Connection, path: &Path) -> Result<(), StateError> {
    let application: i32 = ErrorMapper::new(path).map_result(connection.pragma_query_value(
        None,
        "application_id",
        |row| row.get(0),
    ))?;
    if application == APPLICATION_ID {
        return Ok(());
    }
    Err(StateError::new(
        StateErrorKind::Unavailable,
        format!(
            "`{}` is a database of another program: choose another folder for precip's state",
            path.display()
        ),
    ))
}
