//! `cargo +nightly fuzz run object_message`, from `tests/`.

#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| precip_fuzz::object_message(text));
