//! [`Map`] states: inline, and distributed over a manifest.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Catch, Retry, StateName, States, Transition, state::present};

/// Runs the same states for many items.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Map {
    /// The map's purpose, for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The map's name in the Map Runs of a distributed map, at most 40 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The path of the items in the input. Inline maps, or distributed maps over a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items_path: Option<String>,
    /// The items in S3. Distributed maps only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item_reader: Option<ItemReader>,
    /// The input of the states for each item. Keys that end in `.$` hold paths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item_selector: Option<Value>,
    /// The number of items that run at once; 0 is as many as AWS allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_concurrency: Option<u32>,
    /// The path of that number in the input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_concurrency_path: Option<String>,
    /// The percentage of items that may fail before the map does. Distributed maps only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tolerated_failure_percentage: Option<u32>,
    /// The states.
    pub item_processor: ItemProcessor,
    /// The destination of the results. Distributed maps only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result_writer: Option<ResultWriter>,
    /// The selection of the results, by new names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result_selector: Option<Value>,
    /// The path in the input that receives the results. `Some(Value::Null)` drops them.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    pub result_path: Option<Value>,
    /// The path of the output within the input and result. `Some(Value::Null)` gives an empty
    /// object.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    pub output_path: Option<Value>,
    /// The retriers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retry: Vec<Retry>,
    /// The catchers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub catch: Vec<Catch>,
    /// The next state, or the end.
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
    /// The mode of execution.
    pub processor_config: ProcessorConfig,
    /// The first state.
    pub start_at: StateName,
    /// The states.
    pub states: States,
}

/// The mode of execution of a [`Map`]'s states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ProcessorConfig {
    /// In the parent execution, or each item in an execution of its own.
    pub mode: ProcessorMode,
    /// The kind of execution for each item. Distributed maps only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_type: Option<ExecutionType>,
}

/// The place where a [`Map`]'s states run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ProcessorMode {
    /// In the parent execution: 40 items at once, and all in its history of 25,000 events.
    Inline,
    /// Each item in an execution of its own, up to 10,000 at once.
    Distributed,
}

/// The kind of execution that runs an item of a distributed map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ExecutionType {
    /// Up to 5 minutes, at least once.
    Express,
    /// Up to a year, exactly once.
    Standard,
}

/// The source of a distributed map's items.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ItemReader {
    /// `arn:aws:states:::s3:getObject` or `arn:aws:states:::s3:listObjectsV2`.
    pub resource: String,
    /// The format of the object: `InputType`, and for CSV `CSVHeaderLocation`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reader_config: Option<Value>,
    /// Bucket and key (or prefix). Keys that end in `.$` hold paths.
    pub parameters: Value,
}

/// The destination of a distributed map's results.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ResultWriter {
    /// `arn:aws:states:::s3:putObject`.
    pub resource: String,
    /// Bucket and prefix. Keys that end in `.$` hold paths.
    pub parameters: Value,
}
