//! The commands that the binary of every Precip project has.

pub mod graph;
