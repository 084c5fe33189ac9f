use precip::prelude::*;

#[asset(retry_policy(max_retries = 3, delay = "half a minute", backoff = exponental))]
fn flights() -> i64 {
    0
}

fn main() {}
