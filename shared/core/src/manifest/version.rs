//! [`ManifestVersion`]: the version of the manifest's form.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// The version of the manifest's form. It changes when an older reader would misunderstand the new
/// form, not when something is added.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct ManifestVersion(());

impl ManifestVersion {
    /// The only supported version.
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
            "description": "The version of the manifest's form.",
            "const": Self::NUMBER,
        })
    }
}
