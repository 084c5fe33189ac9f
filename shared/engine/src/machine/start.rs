//! [`StartInput`]: the input that a person types in the console.

use std::collections::BTreeMap;

use precip_core::prose::did_you_mean;
use serde::{Deserialize, Deserializer, Serialize, de::Error};
use serde_json::Value;

use crate::{
    machine::InvalidStart,
    run_id::RunId,
    state::{RequestedWork, RunOrigin},
};

/// The input of the machine that people start:
///
/// ```json
/// {"select": "daily_events+", "partitions": "2024-01-01...2024-01-31"}
/// ```
///
/// or, to run the rest of an earlier run:
///
/// ```json
/// {"retry_of": "01JDC0Z5V9M3T8Q4W2X7Y6R1KA"}
/// ```
///
/// or, as sensors, schedules and automation start the runs that they have recorded:
///
/// ```json
/// {"run": "01JDC0Z5V9M3T8Q4W2X7Y6R1KA"}
/// ```
///
/// ```
/// use precip_engine::machine::StartInput;
///
/// let input = serde_json::json!({"select": "flights+", "partition": "2013-01-01"});
/// let error = StartInput::from_json(&input).unwrap_err().to_string();
/// assert!(error.contains("did you mean `partitions`?"));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StartInput {
    /// The asset selection, such as `flights+` or `group:marts`; `*` selects every asset. Empty when
    /// `retry_of` or `run` is given.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub select: String,
    /// The partitions: a key, `A...B`, a list, `all`, `latest`, `missing` (the default) or `failed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitions: Option<String>,
    /// The run config: an object with the config of each op under the op's name.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub config: Value,
    /// The run's tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// The key under which a repeated request returns the same run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_key: Option<String>,
    /// True if the checks of the assets are left out.
    #[serde(default, skip_serializing_if = "is_false")]
    pub without_checks: bool,
    /// The run to retry: its failed and held-back partitions are run, by its own request.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "run_id"
    )]
    pub retry_of: Option<RunId>,
    /// The queued run to start, which a trigger recorded with its request.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "run_id"
    )]
    pub run: Option<RunId>,
}

const FIELDS: [&str; 8] = [
    "select",
    "partitions",
    "config",
    "tags",
    "run_key",
    "without_checks",
    "retry_of",
    "run",
];
/// The fields that name a run, with the fields that may be given next to each.
const RUN_FIELDS: [(&str, &[&str]); 2] = [("retry_of", &["run_key"]), ("run", &[])];
const EXAMPLE: &str = r#"{"select": "*", "partitions": "missing"}"#;

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// Reads a run id. The error of an invalid one shows an example.
fn run_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<RunId>, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(D::Error::custom)
}

impl StartInput {
    /// Reads an input.
    ///
    /// # Errors
    /// [`InvalidStart`], whose message says what to type instead.
    pub fn from_json(input: &Value) -> Result<Self, InvalidStart> {
        let Value::Object(fields) = input else {
            return Err(InvalidStart(format!(
                "the input is {}, and must be an object: type {EXAMPLE}",
                value_kind(input)
            )));
        };
        if let Some(unknown) = fields
            .keys()
            .find(|field| !FIELDS.contains(&field.as_str()))
        {
            let instead =
                did_you_mean(unknown, FIELDS).unwrap_or_else(|| "leave it out".to_owned());
            return Err(InvalidStart(format!(
                "the input has a field `{unknown}`, which does not exist: {instead}"
            )));
        }
        let run_field = RUN_FIELDS
            .iter()
            .find(|(name, _)| fields.contains_key(*name));
        if let Some((run_field, allowed)) = run_field {
            let mut others = fields.keys().filter(|field| field != run_field);
            if let Some(other) = others.find(|field| !allowed.contains(&field.as_str())) {
                return Err(InvalidStart(format!(
                    "the input has both `{other}` and `{run_field}`: the run in `{run_field}` \
                     decides what is materialized; leave one of them out"
                )));
            }
        } else if !fields.contains_key("select") {
            return Err(InvalidStart(format!(
                "the input names no assets: add `select`, like {EXAMPLE}"
            )));
        }
        // Partition keys may be a list too: it is read as the text with commas.
        let mut fields = fields.clone();
        if let Some(Value::Array(keys)) = fields.get("partitions") {
            let keys: Option<Vec<&str>> = keys.iter().map(Value::as_str).collect();
            let text = keys.map(|keys| keys.join(",")).unwrap_or_default();
            fields.insert("partitions".to_owned(), text.into());
        }
        serde_path_to_error::deserialize(Value::Object(fields)).map_err(|error| {
            InvalidStart(format!(
                "the input's field `{}` cannot be read: {}; type it like {EXAMPLE}",
                error.path(),
                error.inner()
            ))
        })
    }

    /// Returns the input that retries a run.
    pub fn retry_of_run(run: RunId) -> Self {
        Self {
            retry_of: Some(run),
            ..Self::default()
        }
    }

    /// Returns the input that starts a queued run.
    pub fn queued_run(run: RunId) -> Self {
        Self {
            run: Some(run),
            ..Self::default()
        }
    }

    /// Converts the input to the request that is recorded. (A retry records the earlier run's.)
    pub fn into_request(self) -> RequestedWork {
        RequestedWork {
            selection: self.select,
            partitions: self.partitions,
            config: self.config,
            tags: self.tags,
            origin: RunOrigin::Manual,
        }
    }
}

fn value_kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "empty",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
