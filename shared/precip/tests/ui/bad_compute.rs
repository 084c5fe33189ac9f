use precip::prelude::*;

#[asset(compute(memory_mib = 64, timeout = "20m", cpu = 2, binary = "a/b"))]
fn flights() -> i64 {
    0
}

fn main() {}
