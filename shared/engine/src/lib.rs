//! What every entry point of Precip does, and the ports it does it through.
//!
//! The command line, a test and a Lambda function all call the same use cases. What differs between
//! a laptop and AWS stands behind ports: [`io::IoManager`] for data and [`state`] for the record.

pub mod asset;
pub mod automation;
pub mod definitions;
pub mod deployment;
pub mod freshness;
pub mod gc;
pub mod io;
pub mod machine;
pub mod react;
pub mod run;
pub mod run_id;
pub mod settings;
pub mod state;
pub mod trigger;
