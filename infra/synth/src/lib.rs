//! Generation of a project's deployment: a SAM template, the files of the state machines, and the
//! manifest. Pure: no clock, no files, no environment; [`synth`] returns the contents of the files.
//!
//! [`check`] finds mistakes in generated files that no public validator finds.

pub mod check;
mod synth;

pub use synth::{Architecture, GeneratedFile, SynthError, SynthOptions, Synthesized, synth};
