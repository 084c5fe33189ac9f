//! Config: the part of a run's config that an op's function takes, as a type of its own.

use std::{any::type_name, fmt};

use serde::de::DeserializeOwned;
use serde_json::Value;

/// The config that an op takes.
#[derive(Clone)]
pub struct ConfigSpec {
    /// The type it is read into, for messages.
    pub type_name: &'static str,
    /// Its JSON schema, where the type has one.
    pub schema: Option<Value>,
    check: fn(&Value) -> Result<(), InvalidConfig>,
}

impl ConfigSpec {
    /// Config that is read into a `T`.
    pub fn of<T: DeserializeOwned>() -> Self {
        Self {
            type_name: type_name::<T>(),
            schema: None,
            check: |config| read_config::<T>(config).map(drop),
        }
    }

    /// The same with the type's JSON schema.
    #[must_use]
    pub fn with_schema(mut self, schema: Option<Value>) -> Self {
        self.schema = schema;
        self
    }

    /// Whether a config can be read, before anything runs.
    ///
    /// # Errors
    /// [`InvalidConfig`], which names the place and what is expected there.
    pub fn check(&self, config: &Value) -> Result<(), InvalidConfig> {
        (self.check)(config)
    }
}

impl fmt::Debug for ConfigSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConfigSpec({})", self.type_name)
    }
}

/// Reads an op's part of the run config. No config at all is read like an empty object, so that a
/// type whose fields all have defaults needs none.
///
/// # Errors
/// [`InvalidConfig`], which names the place and what is expected there.
pub fn read_config<T: DeserializeOwned>(config: &Value) -> Result<T, InvalidConfig> {
    let given = match config {
        Value::Null => Value::Object(serde_json::Map::new()),
        given => given.clone(),
    };
    serde_path_to_error::deserialize(given).map_err(|error| InvalidConfig {
        path: match error.path().to_string() {
            path if path == "." => String::new(),
            path => path,
        },
        reason: error.inner().to_string(),
    })
}

/// Config that does not fit the type it is read into.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("config{}: {reason}", if path.is_empty() { String::new() } else { format!(" `{path}`") })]
pub struct InvalidConfig {
    /// Where: fields with `.` between them; empty for the config as a whole.
    pub path: String,
    /// What is expected there, and what was given.
    pub reason: String,
}
