//! The config of an op: the op's part of the run config, parsed into a type.

use std::{any::type_name, fmt};

use serde::de::DeserializeOwned;
use serde_json::Value;

/// The config that an op takes.
#[derive(Clone)]
pub struct ConfigSpec {
    /// The name of its type, for messages.
    pub type_name: &'static str,
    /// The JSON schema, if the type has one.
    pub schema: Option<Value>,
    check: fn(&Value) -> Result<(), InvalidConfig>,
}

impl ConfigSpec {
    /// Declares config of type `T`.
    pub fn for_type<T: DeserializeOwned>() -> Self {
        Self {
            type_name: type_name::<T>(),
            schema: None,
            check: |config| read_config::<T>(config).map(drop),
        }
    }

    /// Sets the JSON schema.
    #[must_use]
    pub fn with_schema(mut self, schema: Option<Value>) -> Self {
        self.schema = schema;
        self
    }

    /// Checks, before anything runs, that a config can be parsed.
    ///
    /// # Errors
    /// [`InvalidConfig`], which names the field and the expected value.
    pub fn check_config(&self, config: &Value) -> Result<(), InvalidConfig> {
        (self.check)(config)
    }
}

impl fmt::Debug for ConfigSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConfigSpec({})", self.type_name)
    }
}

/// Parses an op's part of the run config. Missing config is parsed like an empty object, so a type
/// whose fields all have defaults needs none.
///
/// # Errors
/// [`InvalidConfig`], which names the field and the expected value.
pub fn read_config<T: DeserializeOwned>(config: &Value) -> Result<T, InvalidConfig> {
    let given = match config {
        Value::Null => Value::Object(serde_json::Map::new()),
        given => given.clone(),
    };
    serde_path_to_error::deserialize(given).map_err(|error| InvalidConfig {
        // Serde writes the root as `.`.
        path: match error.path().to_string() {
            path if path == "." => String::new(),
            path => path,
        },
        reason: error.inner().to_string(),
    })
}

/// Config that does not fit its type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("config{}: {reason}", if path.is_empty() { String::new() } else { format!(" `{path}`") })]
pub struct InvalidConfig {
    /// The path of the field, separated by `.`; empty for the config as a whole.
    pub path: String,
    /// The expected and the given value.
    pub reason: String,
}
