use precip::prelude::*;

#[multi_asset(outputs(even, odd))]
fn split() {}

fn main() {}
