//! The function `sensor`.

use std::process::ExitCode;

fn main() -> ExitCode {
    precip::lambda::sensor(flights::definitions)
}
