//! Invalid input, failing functions and failing machines: each gets its exit code, and a message with the fix.

mod functions;
mod input;
mod machine;
#[cfg(unix)]
mod printing;

/// The sample project's command line.
const FLIGHTS: &str = env!("CARGO_BIN_EXE_flights-cli");
/// The command line of the project that fails.
const WORKSHOP: &str = env!("CARGO_BIN_EXE_workshop");
