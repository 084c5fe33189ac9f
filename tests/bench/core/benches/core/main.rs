//! `cargo bench --package precip-bench-core`: every step of the core by size. `tests/bench/core.py`
//! prints the same with the growth from one size to the next.

mod automation;
mod machine;
mod mapping;
mod partitions;
mod plan;
mod projects;
mod sets;

/// Numbers of partitions.
pub(crate) const PARTITIONS: [u64; 5] = [1_000, 10_000, 100_000, 1_000_000, 10_000_000];

/// Numbers of (asset, partition) pairs of a thousand assets.
pub(crate) const PAIRS: [u64; 5] = PARTITIONS;

/// Numbers of assets.
pub(crate) const ASSETS: [usize; 4] = [10, 100, 1_000, 10_000];

/// The assets of [`PAIRS`].
pub(crate) const A_THOUSAND: usize = 1_000;

fn main() {
    divan::main();
}
