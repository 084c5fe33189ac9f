use precip::prelude::*;

#[asset]
fn flights() -> MaterializeResult {
    MaterializeResult::new()
}

#[asset]
fn distance(flights: Vec<i64>) -> i64 {
    flights.iter().sum()
}

fn main() {}
