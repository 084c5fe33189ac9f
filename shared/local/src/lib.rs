//! Precip on one machine: SQLite state, local files and the in-process executor.

pub mod bucket;
pub mod executor;
pub mod home;
pub mod state;
