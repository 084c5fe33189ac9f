//! [`Map`] states: inline, and distributed over a manifest.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Catch, Retry, StateName, States, Transition, state::present};

/// Runs the same states for many items.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Map {
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The map's name in the Map Runs of a distributed map, at most 40 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Where the items are in the input. Inline maps, or distributed maps over a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items_path: Option<String>,
    /// Where the items are in S3. Distributed maps only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item_reader: Option<ItemReader>,
    /// What each item becomes before the states see it. Keys that end in `.$` hold paths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item_selector: Option<Value>,
    /// How many items are worked on at once; 0 is as many as AWS allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_concurrency: Option<u32>,
    /// The same as a path to a number in the input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_concurrency_path: Option<String>,
    /// How many of a hundred items may fail before the map does. Distributed maps only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tolerated_failure_percentage: Option<u32>,
    /// The states.
    pub item_processor: ItemProcessor,
    /// Where the results are written. Distributed maps only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result_writer: Option<ResultWriter>,
    /// Which part of the results is kept, and under which names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result_selector: Option<Value>,
    /// Where the results are put into the input. `Some(Value::Null)` throws them away.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    pub result_path: Option<Value>,
    /// Which part of the whole is handed on. `Some(Value::Null)` hands on an empty object.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    pub output_path: Option<Value>,
    /// What is tried again, and when.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retry: Vec<Retry>,
    /// Where failures go.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub catch: Vec<Catch>,
    /// What follows.
    #[serde(flatten)]
    pub transition: Transition,
}

impl Map {
    /// The longest label that Step Functions takes, in characters.
    pub const MAX_LABEL_CHARS: usize = 40;
}

/// The states that a [`Map`] runs for each item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ItemProcessor {
    /// How they are run.
    pub processor_config: ProcessorConfig,
    /// The first state.
    pub start_at: StateName,
    /// The states.
    pub states: States,
}

/// How a [`Map`] runs its states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ProcessorConfig {
    /// In the execution itself, or each item in one of its own.
    pub mode: ProcessorMode,
    /// What kind of execution each item is. Distributed maps only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_type: Option<ExecutionType>,
}

/// Where a [`Map`]'s states run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ProcessorMode {
    /// In the execution itself: 40 items at once, and all in its history of 25,000 events.
    Inline,
    /// Each item in an execution of its own, up to 10,000 at once.
    Distributed,
}

/// What kind of execution a distributed map's item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ExecutionType {
    /// Up to 5 minutes, at least once.
    Express,
    /// Up to a year, exactly once.
    Standard,
}

/// Where a distributed map's items are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ItemReader {
    /// `arn:aws:states:::s3:getObject` or `arn:aws:states:::s3:listObjectsV2`.
    pub resource: String,
    /// How the object is read: `InputType`, and for CSV `CSVHeaderLocation`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reader_config: Option<Value>,
    /// Bucket and key (or prefix). Keys that end in `.$` hold paths.
    pub parameters: Value,
}

/// Where a distributed map's results go.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ResultWriter {
    /// `arn:aws:states:::s3:putObject`.
    pub resource: String,
    /// Bucket and prefix. Keys that end in `.$` hold paths.
    pub parameters: Value,
}
