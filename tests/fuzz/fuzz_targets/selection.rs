//! Selections: `cargo +nightly fuzz run selection`, from `tests/`.

#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| precip_fuzz::selection(text));
