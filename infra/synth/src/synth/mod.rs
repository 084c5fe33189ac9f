//! [`synth`] and its parts, one concern a file.

mod access;
mod deployment;
mod error;
mod files;
mod filters;
mod machine;
mod materializer;
mod names;
mod options;
mod reactions;
mod settings;
mod template;
mod triggers;

pub use error::SynthError;
pub use files::{GeneratedFile, Synthesized, synth};
pub use options::{Architecture, SynthOptions};

#[cfg(test)]
pub(crate) mod tests;
