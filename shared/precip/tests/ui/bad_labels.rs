use precip::prelude::*;

#[asset(
    group = "my group",
    tags(domain = "air traffic"),
    kinds = ["apache parquet"],
)]
fn flights() -> i64 {
    0
}

fn main() {}
