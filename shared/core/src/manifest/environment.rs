//! Environments in a manifest: the names of settings, never their values.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The resources and IO managers of one environment of a project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EnvironmentManifest {
    /// The environment's name.
    pub name: String,
    /// Its resources, ordered by name.
    pub resources: Vec<ComponentManifest>,
    /// Its IO managers, ordered by name. An asset that names no IO manager is stored by the one
    /// named `default` or, if no IO manager has that name, by the built-in one of the platform.
    pub io_managers: Vec<ComponentManifest>,
}

/// A resource or an IO manager.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ComponentManifest {
    /// Its name in the environment.
    pub name: String,
    /// Its Rust type.
    pub type_name: String,
    /// The settings that it is built from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<SettingManifest>,
}

/// A setting that is read at run time. Its value is never part of a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SettingManifest {
    /// The source of the value.
    pub source: SettingSource,
    /// The name of the variable or the entry.
    pub name: String,
    /// True if it has a default value.
    pub optional: bool,
    /// True if its value must not be shown.
    pub secret: bool,
}

/// The source of a setting's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SettingSource {
    /// An environment variable.
    Variable,
    /// An entry of the secrets manager.
    SecretsManager,
}
