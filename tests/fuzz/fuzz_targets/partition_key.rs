//! Partition keys: `cargo +nightly fuzz run partition_key`, from `tests/`.

#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| precip_fuzz::partition_key(text));
