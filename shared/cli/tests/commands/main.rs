//! The printed answers of the commands, as snapshots, for a small project in a folder of its own.
#![expect(clippy::unwrap_used, reason = "test helpers may panic")]

mod automation;
mod aws;
mod changed_plans;
mod columns;
mod cost;
mod errors;
mod escapes;
mod failed_checks;
mod gc;
mod help;
mod listings;
mod machine;
mod project;
mod runs;
mod simulate;
mod skips;
mod synth;
mod triggers;
mod world;
