//! Event patterns: one with a misspelt key is accepted and never matches.

use precip_core::nearest::{nearest, or_list};
use serde_json::{Map, Value};

use super::{Finding, Rule, document::is_function};

/// The longest pattern that EventBridge takes.
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

/// What events that we listen to say in `detail`.
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

/// What may stand in the place of a value.
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

/// Looks at an object that may hold a pattern.
pub(super) fn check(template: &str, place: &str, object: &Map<String, Value>) -> Vec<Finding> {
    let kind = object.get("Type").and_then(Value::as_str);
    let mut problems = Vec::new();
    if let Some(pattern @ Value::Object(_)) = object.get("EventPattern") {
        event(pattern, "EventPattern", &mut problems);
    }
    if let (Some("EventBridgeRule" | "CloudWatchEvent"), Some(pattern)) = (
        kind,
        object.get("Properties").and_then(|p| p.get("Pattern")),
    ) {
        event(pattern, "Properties/Pattern", &mut problems);
    }
    for (source, fields) in [("DynamoDB", CHANGE), ("SQS", MESSAGE)] {
        if kind == Some(source) {
            filters(object, fields, &mut problems);
        }
    }
    let found = problems.into_iter().map(|(below, message)| {
        Finding::new(
            Rule::EventPattern,
            template,
            format!("{place}/{below}"),
            message,
        )
    });
    found.collect()
}

type Problems = Vec<(String, String)>;

fn event(pattern: &Value, place: &str, problems: &mut Problems) {
    let size = pattern.to_string().len();
    if size > LONGEST {
        let message = format!("is {size} characters long, and {LONGEST} are the most: split it");
        problems.push((place.to_owned(), message));
    }
    fields(pattern, EVENT, place, problems);
    for (kind, known) in DETAILS {
        let named = pattern.get("detail-type").and_then(Value::as_array);
        let only = named.is_some_and(|named| named.len() == 1 && named[0] == *kind);
        if let (true, Some(detail)) = (only, pattern.get("detail")) {
            fields(detail, known, &format!("{place}/detail"), problems);
        }
    }
    matches(pattern, place, problems);
}

/// The filters of an event source, which are patterns written as JSON in a string.
fn filters(object: &Map<String, Value>, known: &[&str], problems: &mut Problems) {
    let properties = object.get("Properties");
    let filters = properties.and_then(|p| p.pointer("/FilterCriteria/Filters")?.as_array());
    for (number, filter) in filters.into_iter().flatten().enumerate() {
        let place = format!("Properties/FilterCriteria/Filters/{number}/Pattern");
        let Some(text) = filter.get("Pattern").and_then(Value::as_str) else {
            continue;
        };
        match serde_json::from_str::<Value>(text) {
            Ok(pattern) => {
                fields(&pattern, known, &place, problems);
                matches(&pattern, &place, problems);
            }
            Err(error) => problems.push((place, format!("is not JSON: {error}"))),
        }
    }
}

fn fields(pattern: &Value, known: &[&str], place: &str, problems: &mut Problems) {
    for key in pattern.as_object().into_iter().flat_map(Map::keys) {
        if key != "$or" && !known.contains(&key.as_str()) {
            let near = nearest(key, known.iter().copied());
            let help = match near.as_slice() {
                [] => format!("write one of {}", known.join(", ")),
                near => format!("did you mean {}?", or_list(near)),
            };
            problems.push((
                place.to_owned(),
                format!("no such event has `{key}`: {help}"),
            ));
        }
    }
}

/// Whether each field has a list of what it may be.
fn matches(pattern: &Value, place: &str, problems: &mut Problems) {
    let Some(map) = pattern.as_object() else {
        let message = "is no object with the fields of an event".to_owned();
        return problems.push((place.to_owned(), message));
    };
    for (key, value) in map {
        let below = format!("{place}/{key}");
        match value {
            Value::Object(_) if is_function(value) => {}
            Value::Object(_) => matches(value, &below, problems),
            Value::Array(items) if key == "$or" => {
                items
                    .iter()
                    .for_each(|item| matches(item, &below, problems));
            }
            Value::Array(items) if items.is_empty() => {
                problems.push((below, "is an empty list, which nothing matches".to_owned()));
            }
            Value::Array(items) => items.iter().for_each(|item| one(item, &below, problems)),
            value => {
                problems.push((
                    below,
                    format!("is {value}: write a list, such as [{value}]"),
                ));
            }
        }
    }
}

fn one(item: &Value, place: &str, problems: &mut Problems) {
    if is_function(item) {
        return;
    }
    for operator in item.as_object().into_iter().flat_map(Map::keys) {
        if !OPERATORS.contains(&operator.as_str()) {
            let message = format!(
                "has the operator `{operator}`: write one of {}",
                OPERATORS.join(", ")
            );
            problems.push((place.to_owned(), message));
        }
    }
}
