//! `cargo +nightly fuzz run key_template`, from `tests/`.

#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| precip_fuzz::key_template(text));
