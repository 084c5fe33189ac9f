//! What a project's Lambda functions do. A binary of each is one line:
//!
//! ```no_run
//! # use precip::prelude::*;
//! # fn definitions() -> Result<Definitions, InvalidDefinitions> { Definitions::builder().build() }
//! fn main() -> std::process::ExitCode {
//!     precip::lambda::materializer(definitions)
//! }
//! ```
//!
//! | function | what it is called by | what it does |
//! |---|---|---|
//! | [`planner`] | the state machines, and EventBridge when an execution ends | plans runs, settles waves, ends runs |
//! | [`materializer`] | the state machines | one step of one item |
//! | [`sensor`] | queues of S3's events, EventBridge Scheduler | evaluates sensors of objects and schedules, sweeps buckets |
//! | [`reactor`] | the table's stream, EventBridge Scheduler | keeps what follows from the record: status sets, progress, history; evaluates sensors of assets and runs, automation and freshness |
//!
//! They read their place from the environment ([`variables`]); the generated template sets it.

mod failure;
mod function;
mod logging;
mod materializer;
mod planner;
mod reactor;
mod sensor;
mod triggers;
pub mod variables;
mod world;

pub use materializer::materializer;
pub use planner::planner;
pub use reactor::reactor;
pub use sensor::sensor;
