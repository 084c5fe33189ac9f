//! How functions are linked: the build script of the packages that have some.

#![allow(clippy::print_stdout, reason = "that is how a build script is heard")]

use std::{env, fs, path::Path};

/// A program that can be loaded anywhere has tens of thousands of pointers moved each time it starts. One
/// with a fixed address has not, and a new function asks for work a fifth sooner (tests/bench/start.py).
/// Functions are the programs in `src/bin`; the command line, which is `src/main.rs`, stays as it is.
fn main() -> std::io::Result<()> {
    let target = |part: &str| env::var(format!("CARGO_CFG_TARGET_{part}")).unwrap_or_default();
    let folder = Path::new(&env::var("CARGO_MANIFEST_DIR").unwrap_or_default()).join("src/bin");
    println!("cargo::rerun-if-changed={}", folder.display());
    if (target("OS"), target("ENV")) != ("linux".to_owned(), "gnu".to_owned()) {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        if let Some(function) = entry?.path().file_stem() {
            println!("cargo::rustc-link-arg-bin={}=-no-pie", function.display());
        }
    }
    Ok(())
}
