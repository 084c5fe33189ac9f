//! The commands that the binary of every Precip project has.

mod app;
pub mod args;
pub mod command;
pub mod dev;
pub mod env;
pub mod exit;
pub mod failure;
pub mod graph;
pub mod label;
pub mod launch;
pub mod output;
pub mod place;
pub mod progress;
pub mod session;

pub use app::main;
