//! [`InvalidManifest`].

use super::ManifestVersion;
use crate::graph::InvalidGraph;

/// Text or data that is not a manifest.
#[derive(Debug, thiserror::Error)]
pub enum InvalidManifest {
    /// It is not JSON, or not of a manifest's form.
    #[error("this is not a manifest: {0}; `describe --json` of a project's binary writes one")]
    Form(#[from] serde_json::Error),
    /// It is of another version.
    #[error(
        "this manifest has version {found}, and version {} is read here: write it again with \
         `describe --json` of a project that is built with the same release",
        ManifestVersion::NUMBER
    )]
    Version {
        /// Its version.
        found: u64,
    },
    /// What it says of the assets does not fit together.
    #[error("the manifest holds assets that do not fit together")]
    Graph(#[from] InvalidGraph),
}
