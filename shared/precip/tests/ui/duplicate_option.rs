use precip::prelude::*;

#[asset(group = "raw", group = "clean")]
fn flights() -> i64 {
    0
}

fn main() {}
