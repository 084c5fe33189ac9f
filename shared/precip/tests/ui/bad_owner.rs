use precip::prelude::*;

#[asset(owners = ["team:data", "ann"])]
fn flights() -> i64 {
    0
}

fn main() {}
