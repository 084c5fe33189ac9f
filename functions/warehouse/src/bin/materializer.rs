//! The function `materializer`.

use std::process::ExitCode;

fn main() -> ExitCode {
    precip::lambda::materializer(flights_warehouse::definitions)
}
