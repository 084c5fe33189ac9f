//! Cron strings: `cargo +nightly fuzz run cron`, from `tests/`.

#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| precip_fuzz::cron(text));
