//! The assets, by group.

pub mod marts;
pub mod raw;
pub mod staging;
