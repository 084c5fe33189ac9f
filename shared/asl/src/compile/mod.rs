//! Compilation of a project's [`Layout`](precip_core::machine::Layout) into its two state machines.
//!
//! People start the first. It plans, and runs small plans itself, so that the console shows every
//! partition; for large plans it starts the second, whose stages are distributed maps over
//! manifests in S3:
//!
//! ```text
//! run:       Account -> Plan -> How much -> Next wave -> wave 0, wave 1, .. -> Finish -> Done
//!                       |            ^            |                    |
//!                       |            +-- Settle --+    (a redrive: what is left) -> Next wave
//!                       +-> Backfill (the other machine, and wait)
//! backfill:                      Next wave -> wave 0, wave 1, .. -> Finish -> Done
//! ```
//!
//! The planner's *document* goes from state to state; [`document`] describes it.

mod call;
mod comment;
mod compiler;
pub mod document;
mod error;
mod execution_type;
mod item;
mod machines;
mod name;
mod options;
mod retry;
mod stage;
mod stage_loop;
mod substitution;
mod wave;

pub use error::CompileError;
pub use execution_type::execution_type;
pub use machines::{Machines, Substitutions, compile_machines};
pub use options::CompileOptions;
pub use substitution::{BACKFILL, BUCKET, PLANNER, function_substitution, substitutions};

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
