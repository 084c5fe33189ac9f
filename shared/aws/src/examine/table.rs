//! The record's table.

use aws_sdk_dynamodb::{
    error::{ProvideErrorMetadata, SdkError},
    types::{KeyType, TableDescription, TableStatus},
};
use precip_engine::deployment::Finding;

use crate::{
    Aws,
    state::dynamo::{KeyKind, TableDefinition},
};

/// Whether the table is there, has the right keys, and tells of its changes.
pub(super) async fn examine(aws: &Aws, table: &str) -> Finding {
    let what = format!("table `{table}`");
    let described = aws.dynamodb().describe_table().table_name(table);
    match described.send().await {
        Ok(found) => match found.table.as_ref().and_then(wrong) {
            Some((problem, note)) => Finding::wrong(what, problem, note),
            None => Finding::well(what, "its keys are right, its stream is on"),
        },
        // Some that speak like DynamoDB describe a table in a form of their own.
        Err(SdkError::ServiceError(error)) if error.raw().status().is_success() => Finding::well(
            what,
            "is there; what it says of its keys and its stream cannot be read",
        ),
        Err(error) => {
            let (problem, note) = match error.code() {
                Some("ResourceNotFoundException") => (
                    "is not there in this account and region",
                    "deploy the stack, or set PRECIP_TABLE and AWS_REGION to where it is",
                ),
                Some("AccessDeniedException") => (
                    "these credentials may not look at it",
                    "give them dynamodb:DescribeTable, and what reading and writing items needs",
                ),
                Some(code) => (code, "log in again if it is about credentials"),
                None => (
                    "DynamoDB does not answer",
                    "check the network, the region and the endpoint",
                ),
            };
            Finding::wrong(what, problem, note)
        }
    }
}

/// What is wrong with a table that is there.
fn wrong(table: &TableDescription) -> Option<(String, String)> {
    let wanted = TableDefinition::PRECIP;
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
            "set PRECIP_TABLE to the table that the stack's outputs name".to_owned(),
        ));
    }
    let stream = table.stream_specification();
    let view = stream
        .filter(|stream| stream.stream_enabled())
        .and_then(|stream| stream.stream_view_type());
    match view {
        Some(view) if view.as_str() == wanted.stream => None,
        Some(view) => Some((
            format!("its stream holds {view}, and has to hold {}", wanted.stream),
            deploy(),
        )),
        None => Some((
            "its stream is off, so that statuses and progress stand still".to_owned(),
            deploy(),
        )),
    }
}
