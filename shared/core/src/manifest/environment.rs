//! Environments as a manifest shows them: names of settings, never their values.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a project uses in one place where it runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EnvironmentManifest {
    /// Its name.
    pub name: String,
    /// Its resources, by name.
    pub resources: Vec<MadeManifest>,
    /// Its IO managers, by name. An asset that names none is stored by the one named `default`;
    /// where there is none of that name, by that of the place where the project runs.
    pub io_managers: Vec<MadeManifest>,
}

/// A resource or an IO manager.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MadeManifest {
    /// Its name in the environment.
    pub name: String,
    /// The Rust type that it is.
    pub type_name: String,
    /// The settings that it is made from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<SettingManifest>,
}

/// A setting that is read where the project runs. Its value is never part of a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SettingManifest {
    /// Where it is kept.
    pub source: SettingSource,
    /// The name of the variable or of the entry.
    pub name: String,
    /// Whether it has a value when it is not set.
    pub optional: bool,
    /// Whether its value must not be seen.
    pub secret: bool,
}

/// Where a setting is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SettingSource {
    /// An environment variable.
    Variable,
    /// An entry of the secrets manager.
    SecretsManager,
}
