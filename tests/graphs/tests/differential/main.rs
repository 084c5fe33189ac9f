//! The same random project, run on a laptop and on AWS, has the same record.
//!
//!     tests/with/emulator cargo nextest run -p precip-graphs --features aws
//!
//! `PRECIP_TEST_SEED` chooses another project, `PRECIP_TEST_GRAPHS` how many graphs it has.

mod deployment;
mod emulator;
mod laptop;
mod outages;
mod proxy;
mod record;

/// A number that a variable holds.
fn number<T: std::str::FromStr>(name: &str) -> Option<T> {
    std::env::var(name).ok()?.parse().ok()
}
