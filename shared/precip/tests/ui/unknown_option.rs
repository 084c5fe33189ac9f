use precip::prelude::*;

#[asset(retry_polcy(max_retries = 3))]
fn flights() -> i64 {
    0
}

#[asset(colour = "red")]
fn weather() -> i64 {
    0
}

fn main() {}
