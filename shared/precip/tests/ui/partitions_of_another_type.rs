use precip::prelude::*;

#[asset(partitions = "daily")]
fn flights() -> i64 {
    0
}

fn main() {}
