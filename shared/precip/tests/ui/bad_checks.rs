use precip::prelude::*;

#[asset(checks = 3)]
fn one() -> Vec<i64> {
    Vec::new()
}

#[asset(checks = ["not_null", no_nulls(blokcing)])]
fn two() -> Vec<i64> {
    Vec::new()
}

fn main() {}
