//! [`StartInput`]: what a person types in the console.

use std::collections::BTreeMap;

use precip_core::nearest::{nearest, or_list};
use serde::{Deserialize, Deserializer, Serialize, de::Error};
use serde_json::Value;

use crate::{
    machine::InvalidStart,
    run_id::RunId,
    state::{RunOrigin, RunRequest},
};

/// The input of the machine that people start:
///
/// ```json
/// {"select": "daily_events+", "partitions": "2024-01-01...2024-01-31"}
/// ```
///
/// or, to make what an earlier run left unmade:
///
/// ```json
/// {"retry_of": "01JDC0Z5V9M3T8Q4W2X7Y6R1KA"}
/// ```
///
/// or, as sensors, schedules and automation start the runs that they put on record:
///
/// ```json
/// {"run": "01JDC0Z5V9M3T8Q4W2X7Y6R1KA"}
/// ```
///
/// ```
/// use precip_engine::machine::StartInput;
///
/// let input = serde_json::json!({"select": "flights+", "partition": "2013-01-01"});
/// let error = StartInput::read(&input).unwrap_err().to_string();
/// assert!(error.contains("did you mean `partitions`?"));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StartInput {
    /// The asset selection, such as `flights+` or `group:marts`; `*` is every asset. Empty when a run
    /// decides it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub select: String,
    /// The partitions: a key, `A...B`, a list, `all`, `latest`, `missing` or `failed`; what is
    /// missing unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitions: Option<String>,
    /// The run config: an object with the config of each op under the op's name.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub config: Value,
    /// Labels of the run.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// What makes a repeated request the same request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_key: Option<String>,
    /// Whether the checks of the assets are left out.
    #[serde(default, skip_serializing_if = "is_false")]
    pub without_checks: bool,
    /// The run whose missing part is made: what failed in it, and what that held back. What it was
    /// asked for, it decides.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "run_id"
    )]
    pub retry_of: Option<RunId>,
    /// The run on record that is carried out, when a trigger put one there. What it was asked for, the
    /// record says.
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
/// The fields that say which run it is about, and what may stand beside each.
const OF_A_RUN: [(&str, &[&str]); 2] = [("retry_of", &["run_key"]), ("run", &[])];
const EXAMPLE: &str = r#"{"select": "*", "partitions": "missing"}"#;

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// Reads a run id; one that is none is told with an example.
fn run_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<RunId>, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(D::Error::custom)
}

impl StartInput {
    /// Reads an input.
    ///
    /// # Errors
    /// [`InvalidStart`], which says what to type instead.
    pub fn read(input: &Value) -> Result<Self, InvalidStart> {
        let Value::Object(fields) = input else {
            return Err(InvalidStart(format!(
                "the input is {}, and has to be an object: type {EXAMPLE}",
                kind(input)
            )));
        };
        if let Some(unknown) = fields
            .keys()
            .find(|field| !FIELDS.contains(&field.as_str()))
        {
            let instead = match nearest(unknown, FIELDS).as_slice() {
                [] => "leave it out".to_owned(),
                near => format!("did you mean {}?", or_list(near)),
            };
            return Err(InvalidStart(format!(
                "the input has a field `{unknown}`, which means nothing here: {instead}"
            )));
        }
        let of_run = OF_A_RUN.iter().find(|of| fields.contains_key(of.0));
        if let Some((of_run, beside)) = of_run {
            let mut others = fields.keys().filter(|field| field != of_run);
            if let Some(other) = others.find(|field| !beside.contains(&field.as_str())) {
                return Err(InvalidStart(format!(
                    "the input has `{other}` beside `{of_run}`: the run that it names decides what \
                     is made; leave `{other}` out, or `{of_run}`"
                )));
            }
        } else if !fields.contains_key("select") {
            return Err(InvalidStart(format!(
                "the input names no assets: add `select`, like {EXAMPLE}"
            )));
        }
        // A list of keys is as clear as a text with commas.
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

    /// The input of a retry of a run.
    pub fn retry(run: RunId) -> Self {
        Self {
            retry_of: Some(run),
            ..Self::default()
        }
    }

    /// The input that carries out a run which is on record.
    pub fn carry_out(run: RunId) -> Self {
        Self {
            run: Some(run),
            ..Self::default()
        }
    }

    /// The request that goes on record, but for a retry: that of the earlier run does.
    pub fn into_request(self) -> RunRequest {
        RunRequest {
            selection: self.select,
            partitions: self.partitions,
            config: self.config,
            tags: self.tags,
            origin: RunOrigin::Manual,
        }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "empty",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
