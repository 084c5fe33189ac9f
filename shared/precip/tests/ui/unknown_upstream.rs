use precip::prelude::*;

#[asset]
fn distance(flihgts: Vec<i64>) -> i64 {
    flihgts.iter().sum()
}

fn main() {}
