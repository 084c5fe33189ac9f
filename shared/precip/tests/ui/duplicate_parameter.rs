use precip::prelude::*;

#[asset]
fn weather() -> i64 {
    0
}

#[asset]
fn flights(weather: i64, weather: i64) -> i64 {
    weather
}

fn main() {}
