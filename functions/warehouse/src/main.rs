//! The project's command line: `cargo run -p flights-warehouse -- --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    precip::main(flights_warehouse::definitions)
}
