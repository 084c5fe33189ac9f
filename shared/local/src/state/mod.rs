//! The record on one machine, in SQLite.

mod sqlite;

pub use sqlite::{OldRecords, SqliteOptions, SqliteStore};
