//! The function `planner`.

use std::process::ExitCode;

fn main() -> ExitCode {
    precip::lambda::planner(flights_warehouse::definitions)
}
