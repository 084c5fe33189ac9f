//! The schema, and how an older one becomes the present one.

use std::path::Path;

use precip_engine::state::{StateError, StateErrorKind};
use rusqlite::{Connection, TransactionBehavior};

use super::error::Blame;

/// What a file's header says it is (`Prcp`), so that another program's database is never touched.
const APPLICATION: i32 = i32::from_be_bytes(*b"Prcp");

/// Each step makes the next version of the one before. Steps that were released never change.
const STEPS: [&str; 2] = [include_str!("schema.sql"), include_str!("schema_2.sql")];

/// Brings a database to the present version, or refuses it.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StateError> {
    let blame = Blame::new(path);
    if blame.of(version(connection))? == STEPS.len() {
        return check_owner(connection, path);
    }
    let change = blame.of(connection.transaction_with_behavior(TransactionBehavior::Immediate))?;
    // Another process may have been faster.
    let version = blame.of(version(&change))?;
    if version > STEPS.len() {
        return Err(StateError::new(
            StateErrorKind::NewerSchema,
            format!(
                "`{}` was written by a newer version of precip (schema {version}, this one knows \
                 up to {}): use that version, or another folder for this one",
                path.display(),
                STEPS.len()
            ),
        ));
    }
    if version > 0 || blame.of(holds_tables(&change))? {
        check_owner(&change, path)?;
    }
    for step in STEPS.iter().skip(version) {
        blame.of(change.execute_batch(step))?;
    }
    blame.of(change.pragma_update(None, "application_id", APPLICATION))?;
    blame.of(change.pragma_update(None, "user_version", STEPS.len() as u32))?;
    blame.of(change.commit())
}

fn version(connection: &Connection) -> rusqlite::Result<usize> {
    let version: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    Ok(version as usize)
}

fn holds_tables(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
}

fn check_owner(connection: &Connection, path: &Path) -> Result<(), StateError> {
    let application: i32 =
        Blame::new(path)
            .of(connection.pragma_query_value(None, "application_id", |row| row.get(0)))?;
    if application == APPLICATION {
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
