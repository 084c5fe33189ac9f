//! A whole project as data: [`Manifest`].
//!
//! A project's binary writes it (`describe --json`). It describes a project to programs that do not
//! run its code: the template generator, and tools in other languages, by its schema
//! (`describe --schema`).

mod environment;
mod error;
mod op;
mod project;
mod text;
mod trigger;
mod version;

pub use environment::{ComponentManifest, EnvironmentManifest, SettingManifest, SettingSource};
pub use error::InvalidManifest;
pub use op::{DependencyManifest, InputManifest, OpDetails, OpManifest, SourceManifest};
pub use project::Manifest;
pub use trigger::{ScheduleManifest, SensorManifest, TriggerDetails};
pub use version::ManifestVersion;

#[cfg(test)]
mod tests;
