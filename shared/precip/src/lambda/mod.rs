//! The project's Lambda functions. The binary of each is one line:
//!
//! ```no_run
//! # use precip::prelude::*;
//! # fn definitions() -> Result<Definitions, InvalidDefinitions> { Definitions::builder().build() }
//! fn main() -> std::process::ExitCode {
//!     precip::lambda::materializer(definitions)
//! }
//! ```
//!
//! | function | called by | does |
//! |---|---|---|
//! | [`planner`] | the state machines, and EventBridge when an execution ends | plans runs, starts their next wave, ends runs |
//! | [`materializer`] | the state machines | one step of an item |
//! | [`sensor`] | queues of S3's events, EventBridge Scheduler | evaluates sensors of objects and schedules, sweeps buckets |
//! | [`reactor`] | the table's stream, EventBridge Scheduler | updates status sets, progress and history; evaluates sensors of assets and runs, automation and freshness |
//!
//! They are configured by environment variables ([`variables`]), which the generated template sets.

mod context;
mod failure;
mod function;
mod logging;
mod materializer;
mod planner;
mod reactor;
mod sensor;
mod triggers;
pub mod variables;

pub use materializer::materializer;
pub use planner::planner;
pub use reactor::reactor;
pub use sensor::sensor;
