//! [`InvalidManifest`]: errors of reading a manifest.

use super::ManifestVersion;
use crate::graph::InvalidGraph;

/// A text that is not a readable manifest.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidManifest {
    /// Not JSON, or JSON of another form.
    #[error("this is not a manifest: {0}; `describe --json` of a project's binary writes one")]
    Form(#[from] serde_json::Error),
    /// A manifest of another version.
    #[error(
        "this manifest has version {found}, but this release reads version {}: write it again with \
         `describe --json` of a project built with the same release",
        ManifestVersion::NUMBER
    )]
    Version {
        /// The manifest's version.
        found: u64,
    },
    /// Assets that do not form a valid graph.
    #[error("the manifest holds assets that do not fit together")]
    Graph(#[from] InvalidGraph),
}
