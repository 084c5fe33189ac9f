use precip::prelude::*;

#[asset_check(blocking)]
fn not_empty(flights: Vec<i64>) -> bool {
    !flights.is_empty()
}

fn main() {}
