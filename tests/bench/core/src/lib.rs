//! What the benchmarks of `precip-core` work on: windows of time and layered graphs of a chosen size.

pub mod graphs;
pub mod ticks;
pub mod windows;
