//! [`ManifestVersion`].

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// The version of the form of a manifest: the number changes when a reader of the form before would
/// misunderstand what is written now, not when something is added.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct ManifestVersion(());

impl ManifestVersion {
    /// The only version that is written and read.
    pub const NUMBER: u64 = 1;
}

impl From<ManifestVersion> for u64 {
    fn from(_: ManifestVersion) -> Self {
        ManifestVersion::NUMBER
    }
}

impl TryFrom<u64> for ManifestVersion {
    type Error = String;

    fn try_from(number: u64) -> Result<Self, String> {
        if number == Self::NUMBER {
            Ok(Self(()))
        } else {
            Err(format!("version {number} is not version {}", Self::NUMBER))
        }
    }
}

impl JsonSchema for ManifestVersion {
    fn schema_name() -> Cow<'static, str> {
        "ManifestVersion".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "The version of the form of the manifest.",
            "const": Self::NUMBER,
        })
    }
}
