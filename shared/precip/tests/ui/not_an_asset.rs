use precip::prelude::*;

struct Weather;

#[asset(deps = [Weather])]
fn flights() -> i64 {
    0
}

fn main() {}
