//! Precip on one machine: SQLite state, local files and the in-process executor.
//!
//! - [`home`]: the folder of a project's state and data, and the locks of the processes that use it.
//! - [`state`]: the record of runs and materializations in one SQLite file.
//! - [`executor`]: runs a plan in this process.
//! - [`bucket`]: a folder in place of the S3 bucket that a sensor watches.

pub mod bucket;
pub mod executor;
pub mod home;
pub mod state;
