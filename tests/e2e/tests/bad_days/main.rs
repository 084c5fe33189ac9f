//! Bad input, bad functions and bad machines: each is answered with its exit code and with what to do.

mod functions;
mod input;
mod machine;

/// The sample project's command line.
const FLIGHTS: &str = env!("CARGO_BIN_EXE_flights-cli");
/// The command line of the project in which things go wrong.
const WORKSHOP: &str = env!("CARGO_BIN_EXE_workshop");
