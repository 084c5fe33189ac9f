//! The use cases behind every entry point of Precip, and the ports they use.
//!
//! The command line, tests and Lambda functions all call the same use cases. Everything that differs
//! between a laptop and AWS is behind a port, such as [`io::IoManager`] for data and
//! [`state::StateStore`] for the record of runs and materializations.

pub mod asset;
pub mod automation;
pub mod definitions;
pub mod deployment;
pub mod freshness;
pub mod gc;
pub mod hex;
pub mod io;
pub mod machine;
pub mod react;
pub mod run;
pub mod run_id;
pub mod settings;
pub mod state;
pub mod system_error;
pub mod trigger;
