//! The config of an op: the op's part of the run config, parsed into a type.

mod duplicates;
mod reader;
mod unread;

use std::{any::type_name, fmt, sync::Arc};

use serde::de::DeserializeOwned;
use serde_json::Value;

pub use duplicates::parse_config;
use reader::{ConfigReader, ReadNotes};

/// A function that shows a value, so that two values of a type can be compared.
type ShowFn<T> = fn(&T) -> String;

/// The check of a config, with the type's JSON schema.
type CheckFn = dyn Fn(&Value, Option<&Value>) -> Result<(), InvalidConfig> + Send + Sync;

/// The config that an op takes.
#[derive(Clone)]
pub struct ConfigSpec {
    /// The name of its type, for messages.
    pub type_name: &'static str,
    /// The JSON schema, if the type has one.
    pub schema: Option<Value>,
    check: Arc<CheckFn>,
}

impl ConfigSpec {
    /// Declares config of type `T`.
    pub fn for_type<T: DeserializeOwned + 'static>() -> Self {
        Self::for_shown_type::<T>(None)
    }

    /// Declares config of type `T`, whose values `show` shows, usually by [`Debug`](fmt::Debug). By that text, unknown
    /// fields are found in structs with `#[serde(flatten)]` and in tagged and untagged enums.
    pub fn for_shown_type<T: DeserializeOwned + 'static>(show: Option<fn(&T) -> String>) -> Self {
        Self {
            type_name: type_name::<T>(),
            schema: None,
            check: Arc::new(move |config, schema| {
                let given = config_or_empty(config);
                let notes = ReadNotes::default();
                read_noting::<T>(&given, &notes)?;
                let entries = notes.untyped_entries.into_inner();
                unread::find_unread_field(&given, &entries, schema, show).map_or(Ok(()), Err)
            }),
        }
    }

    /// Sets the JSON schema.
    #[must_use]
    pub fn with_schema(mut self, schema: Option<Value>) -> Self {
        self.schema = schema;
        self
    }

    /// Checks, before anything runs, that a config can be parsed and that every field of it is read.
    ///
    /// # Errors
    /// [`InvalidConfig`], which names the field and the expected value, or the nearest name of a field.
    pub fn check_config(&self, config: &Value) -> Result<(), InvalidConfig> {
        (self.check)(config, self.schema.as_ref())
    }
}

impl fmt::Debug for ConfigSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConfigSpec({})", self.type_name)
    }
}

/// Parses an op's part of the run config. Missing config is parsed like an empty object, so a type
/// whose fields all have defaults needs none. A field that a struct does not have is an error.
///
/// # Errors
/// [`InvalidConfig`], which names the field and the expected value.
pub fn read_config<T: DeserializeOwned>(config: &Value) -> Result<T, InvalidConfig> {
    read_noting(&config_or_empty(config), &ReadNotes::default())
}

fn config_or_empty(config: &Value) -> Value {
    match config {
        Value::Null => Value::Object(serde_json::Map::new()),
        given => given.clone(),
    }
}

fn read_noting<'de, T: DeserializeOwned>(
    config: &'de Value,
    notes: &ReadNotes<'de>,
) -> Result<T, InvalidConfig> {
    serde_path_to_error::deserialize(ConfigReader::new(config, notes)).map_err(|error| {
        InvalidConfig {
            // Serde writes the root as `.`.
            path: match error.path().to_string() {
                path if path == "." => String::new(),
                path => path,
            },
            reason: error.inner().to_string(),
        }
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

#[cfg(test)]
mod tests;
