use precip::prelude::*;

#[asset]
fn flights() -> Vec<i64> {
    vec![]
}

#[asset_check(asset = flights)]
fn not_empty(flights: Vec<i64>) -> String {
    flights.len().to_string()
}

fn main() {}
