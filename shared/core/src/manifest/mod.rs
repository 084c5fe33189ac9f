//! The whole of a project as data: [`Manifest`].
//!
//! A project's binary writes it (`describe --json`); whoever has to know a project without running
//! its code reads it: the generator of what is deployed, and tools of other languages by its schema
//! (`describe --schema`).

mod environment;
mod error;
mod op;
mod project;
mod text;
mod trigger;
mod version;

pub use environment::{EnvironmentManifest, MadeManifest, SettingManifest, SettingSource};
pub use error::InvalidManifest;
pub use op::{DependencyManifest, InputManifest, OpDetails, OpManifest, SourceManifest};
pub use project::Manifest;
pub use trigger::{ScheduleManifest, SensorManifest, TriggerDetails};
pub use version::ManifestVersion;

#[cfg(test)]
mod tests;
