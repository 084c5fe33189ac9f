use precip::prelude::*;

struct Flight;

#[asset]
fn flights() -> Flight {
    Flight
}

fn main() {}
