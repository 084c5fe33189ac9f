//! The function `reactor`.

use std::process::ExitCode;

fn main() -> ExitCode {
    precip::lambda::reactor(flights::definitions)
}
