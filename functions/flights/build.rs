//! How the functions are linked.

use std::env;

const FUNCTIONS: [&str; 4] = ["materializer", "planner", "reactor", "sensor"];

/// A program that can be loaded anywhere has tens of thousands of pointers moved each time it starts. One
/// with a fixed address has not, and a new function asks for work a fifth sooner (tests/bench/start.py).
/// The command line stays as it is.
fn main() {
    let target = |part: &str| env::var(format!("CARGO_CFG_TARGET_{part}")).unwrap_or_default();
    if (target("OS"), target("ENV")) == ("linux".to_owned(), "gnu".to_owned()) {
        for function in FUNCTIONS {
            println!("cargo::rustc-link-arg-bin={function}=-no-pie");
        }
    }
    println!("cargo::rerun-if-changed=build.rs");
}
