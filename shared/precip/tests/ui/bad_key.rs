use precip::prelude::*;

#[asset(key = "raw flights")]
fn flights() -> i64 {
    0
}

#[asset(key = "raw/weather", key_prefix = "raw")]
fn weather() -> i64 {
    0
}

fn main() {}
