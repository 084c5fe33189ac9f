//! Linked as the functions of the sample project are, so that the difference is Precip's.

use std::env;

fn main() {
    let target = |part: &str| env::var(format!("CARGO_CFG_TARGET_{part}")).unwrap_or_default();
    if (target("OS"), target("ENV")) == ("linux".to_owned(), "gnu".to_owned()) {
        println!("cargo::rustc-link-arg-bin=bare=-no-pie");
    }
    println!("cargo::rerun-if-changed=build.rs");
}
