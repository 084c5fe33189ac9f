use precip::prelude::*;

struct Db;

#[asset]
fn flights(db: &Db) -> i64 {
    0
}

#[asset]
fn weather(#[resource] db: Db) -> i64 {
    0
}

fn main() {}
