use precip::prelude::*;

#[asset]
fn weather() -> i64 {
    0
}

#[asset(deps = ["weather"])]
fn flights() -> i64 {
    0
}

fn main() {}
