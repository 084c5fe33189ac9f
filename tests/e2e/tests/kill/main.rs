//! Processes that are killed, stopped, doubled: what is on record afterwards is the truth, and what is
//! published is whole.

mod interrupt;
mod record;
mod sigkill;
mod together;

/// The sample project's command line.
const FLIGHTS: &str = env!("CARGO_BIN_EXE_flights-cli");
/// The command line of the project in which things go wrong.
const WORKSHOP: &str = env!("CARGO_BIN_EXE_workshop");
