//! From what a project declares to what is deployed: a SAM template, the state machines' files, and
//! the manifest. Pure: no clock, no files, no environment; [`synth`] answers the contents of files.
//!
//! [`check`] looks at generated files for what no public validator finds.

pub mod check;
mod synth;

pub use synth::{Architecture, GeneratedFile, SynthError, SynthOptions, Synthesized, synth};
