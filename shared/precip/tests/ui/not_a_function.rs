use precip::prelude::*;

#[asset]
struct Flights;

fn main() {}
