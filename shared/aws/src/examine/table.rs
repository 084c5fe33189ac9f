//! Examination of the record's table.

use aws_sdk_dynamodb::{
    error::{ProvideErrorMetadata, SdkError},
    types::{KeyType, TableDescription, TableStatus},
};
use precip_engine::deployment::Finding;

use crate::{
    Aws,
    error::{ErrorClass, LOG_IN},
    state::dynamo::{KeyKind, TableDefinition},
};

/// Checks that the table exists, has the right keys, and streams its changes.
pub(super) async fn examine_table(aws: &Aws, table: &str) -> Finding {
    let what = format!("table `{table}`");
    let described = aws.dynamodb().describe_table().table_name(table);
    match described.send().await {
        Ok(found) => match found.table.as_ref().and_then(first_problem) {
            Some((problem, note)) => Finding::with_problem(what, problem, note),
            None => Finding::without_problem(what, "its keys are right, its stream is on"),
        },
        // Some emulators of DynamoDB answer in a form that the SDK cannot read.
        Err(SdkError::ServiceError(error)) if error.raw().status().is_success() => {
            Finding::without_problem(
                what,
                "exists; the description of its keys and its stream cannot be read",
            )
        }
        Err(error) => {
            let (problem, note) = match (ErrorClass::of_sdk_error(&error), error.code()) {
                (ErrorClass::NotFound, _) => (
                    "does not exist in this account and region",
                    "deploy the stack, or set PRECIP_TABLE and AWS_REGION to where it is",
                ),
                (ErrorClass::AccessDenied, _) => (
                    "these credentials may not describe it",
                    "give them dynamodb:DescribeTable, and the rights to read and write items",
                ),
                (ErrorClass::Credentials, Some(code)) => (code, LOG_IN),
                (_, Some(code)) => (code, "try again in a moment"),
                (_, None) => (
                    "DynamoDB does not answer",
                    "check the network, the region and the endpoint",
                ),
            };
            Finding::with_problem(what, problem, note)
        }
    }
}

/// Returns the first problem of an existing table, with what to do about it.
fn first_problem(table: &TableDescription) -> Option<(String, String)> {
    let wanted = TableDefinition::PRECIP;
    // The status comes first: a table that is being created has neither keys nor a stream to judge.
    let deploy = || "deploy the stack with the generated template".to_owned();
    if let Some(status) = table.table_status()
        && *status != TableStatus::Active
        && *status != TableStatus::Updating
    {
        return Some((format!("is {status}"), "wait until it is ACTIVE".to_owned()));
    }
    let keys: Vec<(&str, KeyKind)> = table
        .key_schema()
        .iter()
        .map(|key| {
            let kind = match key.key_type() {
                KeyType::Hash => KeyKind::Partition,
                _ => KeyKind::Sort,
            };
            (key.attribute_name(), kind)
        })
        .collect();
    if keys != wanted.keys {
        let [(partition, _), (sort, _)] = wanted.keys;
        return Some((
            format!("has other keys than `{partition}` and `{sort}`: it is not a record"),
            "set PRECIP_TABLE to the table in the stack's outputs".to_owned(),
        ));
    }
    let stream = table.stream_specification();
    // A disabled stream may still have a view type.
    let view = stream
        .filter(|stream| stream.stream_enabled())
        .and_then(|stream| stream.stream_view_type());
    match view {
        Some(view) if view.as_str() == wanted.stream => None,
        Some(view) => Some((
            format!("its stream holds {view}, and must hold {}", wanted.stream),
            deploy(),
        )),
        None => Some((
            "its stream is off, so statuses and progress are never updated".to_owned(),
            deploy(),
        )),
    }
}
