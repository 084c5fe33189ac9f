//! `cargo +nightly fuzz run partition_selector`, from `tests/`.

#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| precip_fuzz::partition_selector(text));
