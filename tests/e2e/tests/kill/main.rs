//! Processes that are killed, interrupted, or run twice: the record is true afterwards, and published data
//! is complete.

mod interrupt;
mod record;
mod sigkill;
mod together;

/// The sample project's command line.
const FLIGHTS: &str = env!("CARGO_BIN_EXE_flights-cli");
/// The command line of the project that fails.
const WORKSHOP: &str = env!("CARGO_BIN_EXE_workshop");
