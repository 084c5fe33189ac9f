//! [`SqliteStore`]: the state port over one SQLite file.
//!
//! One thread writes (`writer`), and separate connections read (`readers`). Each part of the port has a
//! file of its own.

mod checks;
mod codec;
mod commit;
mod dynamic;
mod error;
mod history;
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

pub use history::OldRecords;
pub use open::SqliteOptions;
pub use store::SqliteStore;
