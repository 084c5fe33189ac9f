use precip::{checks::row_count, prelude::*};

#[asset(checks = [row_count(1..)])]
fn count() -> Json<i64> {
    Json(1)
}

#[asset(checks = [row_count(1..), 1..2])]
fn rows() -> Vec<i64> {
    Vec::new()
}

fn main() {}
