//! Event patterns: a pattern with a misspelt key is accepted and never matches.

use precip_core::prose::did_you_mean;
use serde_json::{Map, Value};

use super::{Finding, Rule, document::is_function};

/// The longest pattern that EventBridge accepts, in characters.
const LONGEST: usize = 2_048;

/// The fields of an event on a bus.
const EVENT: &[&str] = &[
    "version",
    "id",
    "detail-type",
    "source",
    "account",
    "time",
    "region",
    "resources",
    "detail",
];

/// The fields of a change in a table's stream.
const CHANGE: &[&str] = &[
    "awsRegion",
    "dynamodb",
    "eventID",
    "eventName",
    "eventSource",
    "eventVersion",
    "userIdentity",
];

/// The fields of a message in a queue.
const MESSAGE: &[&str] = &["body", "attributes", "messageAttributes", "messageId"];

/// The fields of `detail`, by the type of the event.
const DETAILS: &[(&str, &[&str])] = &[
    (
        "Step Functions Execution Status Change",
        &[
            "executionArn",
            "stateMachineArn",
            "name",
            "status",
            "startDate",
            "stopDate",
            "input",
            "output",
            "error",
            "cause",
            "inputDetails",
            "outputDetails",
            "stateMachineVersionArn",
            "stateMachineAliasArn",
            "redriveCount",
            "redriveDate",
            "redriveStatus",
            "redriveStatusReason",
        ],
    ),
    (
        "Object Created",
        &[
            "version",
            "bucket",
            "object",
            "request-id",
            "requester",
            "source-ip-address",
            "reason",
        ],
    ),
];

/// The operators that may replace a value.
const OPERATORS: &[&str] = &[
    "prefix",
    "suffix",
    "equals-ignore-case",
    "wildcard",
    "anything-but",
    "numeric",
    "exists",
    "cidr",
];

/// Finds mistakes in an object that may hold a pattern.
pub(super) fn check_patterns(
    template: &str,
    location: &str,
    object: &Map<String, Value>,
) -> Vec<Finding> {
    let kind = object.get("Type").and_then(Value::as_str);
    let mut problems = Vec::new();
    // A rule of EventBridge itself.
    if let Some(pattern @ Value::Object(_)) = object.get("EventPattern") {
        check_event_pattern(pattern, "EventPattern", &mut problems);
    }
    if let (Some("EventBridgeRule" | "CloudWatchEvent"), Some(pattern)) = (
        kind,
        object.get("Properties").and_then(|p| p.get("Pattern")),
    ) {
        check_event_pattern(pattern, "Properties/Pattern", &mut problems);
    }
    // Event sources of a function filter records, which have fields of their own.
    for (source, fields) in [("DynamoDB", CHANGE), ("SQS", MESSAGE)] {
        if kind == Some(source) {
            check_filters(object, fields, &mut problems);
        }
    }
    let found = problems.into_iter().map(|(below, message)| {
        Finding::new(
            Rule::EventPattern,
            template,
            format!("{location}/{below}"),
            message,
        )
    });
    found.collect()
}

/// Mistakes: their location below the object, and a message.
type Problems = Vec<(String, String)>;

/// Checks the pattern of an event on a bus.
fn check_event_pattern(pattern: &Value, location: &str, problems: &mut Problems) {
    let size = pattern.to_string().len();
    if size > LONGEST {
        let message = format!("has {size} characters, but {LONGEST} are the limit: split it");
        problems.push((location.to_owned(), message));
    }
    check_field_names(pattern, EVENT, location, problems);
    for (kind, known) in DETAILS {
        let named = pattern.get("detail-type").and_then(Value::as_array);
        // The fields of `detail` are known only if the pattern names a single type of event.
        let only = named.is_some_and(|named| named.len() == 1 && named[0] == *kind);
        if let (true, Some(detail)) = (only, pattern.get("detail")) {
            check_field_names(detail, known, &format!("{location}/detail"), problems);
        }
    }
    check_values(pattern, location, problems);
}

/// Checks the filters of an event source, which are patterns written as JSON in a string.
fn check_filters(object: &Map<String, Value>, known: &[&str], problems: &mut Problems) {
    let properties = object.get("Properties");
    let filters = properties.and_then(|p| p.pointer("/FilterCriteria/Filters")?.as_array());
    for (number, filter) in filters.into_iter().flatten().enumerate() {
        let location = format!("Properties/FilterCriteria/Filters/{number}/Pattern");
        let Some(text) = filter.get("Pattern").and_then(Value::as_str) else {
            continue;
        };
        match serde_json::from_str::<Value>(text) {
            Ok(pattern) => {
                check_field_names(&pattern, known, &location, problems);
                check_values(&pattern, &location, problems);
            }
            Err(error) => problems.push((location, format!("is not JSON: {error}"))),
        }
    }
}

/// Checks the names of a pattern's fields.
fn check_field_names(pattern: &Value, known: &[&str], location: &str, problems: &mut Problems) {
    for key in pattern.as_object().into_iter().flat_map(Map::keys) {
        if key != "$or" && !known.contains(&key.as_str()) {
            let help = did_you_mean(key, known.iter().copied())
                .unwrap_or_else(|| format!("write one of {}", known.join(", ")));
            problems.push((
                location.to_owned(),
                format!("no such event has `{key}`: {help}"),
            ));
        }
    }
}

/// Checks that each field has a list of values.
fn check_values(pattern: &Value, location: &str, problems: &mut Problems) {
    let Some(map) = pattern.as_object() else {
        let message = "is not an object with the fields of an event".to_owned();
        return problems.push((location.to_owned(), message));
    };
    for (key, value) in map {
        let below = format!("{location}/{key}");
        match value {
            // A value of CloudFormation is not known yet.
            Value::Object(_) if is_function(value) => {}
            Value::Object(_) => check_values(value, &below, problems),
            // `$or` holds a list of patterns instead of values.
            Value::Array(items) if key == "$or" => {
                items
                    .iter()
                    .for_each(|item| check_values(item, &below, problems));
            }
            Value::Array(items) if items.is_empty() => {
                problems.push((below, "is an empty list, which nothing matches".to_owned()));
            }
            Value::Array(items) => items
                .iter()
                .for_each(|item| check_value(item, &below, problems)),
            value => {
                problems.push((
                    below,
                    format!("is {value}: write a list, such as [{value}]"),
                ));
            }
        }
    }
}

/// Checks one value of a list.
fn check_value(item: &Value, location: &str, problems: &mut Problems) {
    if is_function(item) {
        return;
    }
    for operator in item.as_object().into_iter().flat_map(Map::keys) {
        if !OPERATORS.contains(&operator.as_str()) {
            let message = format!(
                "has the operator `{operator}`: write one of {}",
                OPERATORS.join(", ")
            );
            problems.push((location.to_owned(), message));
        }
    }
}
