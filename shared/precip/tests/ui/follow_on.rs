//! An error in one declaration hides nothing and causes no other error downstream.
use precip::prelude::*;

#[asset(grup = "raw")]
fn flights() -> Vec<i64> {
    vec![]
}

#[asset(deps = [flights])]
fn distance(flights: Vec<i64>) -> i64 {
    flights.iter().sum()
}

fn main() {
    flights();
}
