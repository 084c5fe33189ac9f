//! State on one machine.

mod sqlite;

pub use sqlite::{Options, SqliteStore};
