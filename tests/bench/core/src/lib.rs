//! Inputs of the benchmarks of `precip-core`: time windows and layered graphs of a chosen size.

pub mod graphs;
pub mod ticks;
pub mod windows;
