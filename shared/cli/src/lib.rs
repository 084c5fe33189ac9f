//! The commands that the binary of every Precip project has.

pub mod args;
pub mod env;
pub mod exit;
pub mod failure;
pub mod graph;
pub mod output;
