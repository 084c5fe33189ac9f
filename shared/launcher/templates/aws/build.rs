//! The build script of packages with functions, which sets how functions are linked.

#![allow(clippy::print_stdout, reason = "a build script answers on stdout")]

use std::{env, fs, path::Path};

/// Links functions at a fixed address. A position-independent program relocates tens of thousands
/// of pointers each time it starts; without that, a new function asks for work a fifth sooner
/// (tests/bench/start.py). Functions are the binaries in `src/bin`; the command line,
/// `src/main.rs`, is linked as usual.
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
