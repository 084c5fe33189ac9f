//! The function `materializer` for assets that are queries.

use std::process::ExitCode;

fn main() -> ExitCode {
    precip::lambda::materializer(flights_warehouse::definitions)
}
