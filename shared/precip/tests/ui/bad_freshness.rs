use precip::prelude::*;

#[asset(freshness(fail_window = "1h", warn_window = "2h"))]
fn flights() -> i64 {
    0
}

#[asset(freshness(deadline_cron = "0 9 * * *", lower_bound_delta = "48h"))]
fn weather() -> i64 {
    0
}

fn main() {}
