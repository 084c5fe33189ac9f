//! [`SqliteStore`]: the state port over one SQLite file.
//!
//! One thread writes (`writer`), connections of their own read (`readers`); the parts of the
//! port are in files of their own.

mod checks;
mod codec;
mod commit;
mod dynamic;
mod error;
mod materializations;
mod migrate;
mod open;
mod pools;
mod read;
mod readers;
mod renumber;
mod runs;
mod store;
mod triggers;
mod write;
mod writer;

#[cfg(test)]
mod tests;

pub use open::Options;
pub use store::SqliteStore;
