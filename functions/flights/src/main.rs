//! The project's command line: `cargo run -- --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    precip::main(flights::definitions)
}
