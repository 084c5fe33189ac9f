use precip::prelude::*;

#[asset]
fn flights() -> Vec<i64> {
    vec![]
}

#[asset]
fn distance(flights: String) -> i64 {
    flights.len() as i64
}

fn main() {}
