use precip::prelude::*;

#[asset]
fn weather() -> i64 {
    0
}

#[asset(deps = [weather(mapping = "last")])]
fn flights() -> i64 {
    0
}

fn main() {}
