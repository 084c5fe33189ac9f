//! The reactor function.

use std::{process::ExitCode, sync::Arc};

use aws_lambda_events::event::{
    dynamodb::{Event, EventRecord},
    streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse},
};
use lambda_runtime::{Diagnostic, LambdaEvent};
use precip_aws::state::dynamo::projection::{Change, Projector};
use precip_engine::definitions::{Definitions, InvalidDefinitions};
use serde_json::Value;

use super::{failure, function};

/// Keeps what follows from the changes of the table: status sets, progress, history.
pub fn reactor(definitions: fn() -> Result<Definitions, InvalidDefinitions>) -> ExitCode {
    function::run(
        definitions,
        async |world| Ok(world.store.projector()),
        answer,
    )
}

/// Applies a batch. If that fails, Lambda delivers it again from its first record: applying a change
/// twice does no harm, and none may be left out, since the next may build on it.
async fn answer(
    projector: Arc<Projector>,
    event: LambdaEvent<Value>,
) -> Result<DynamoDbEventResponse, Diagnostic> {
    let event: Event =
        serde_json::from_value(event.payload).map_err(|error| failure::unreadable(&error))?;
    let first = event.records.first().map(|record| {
        let number = record.change.sequence_number.clone();
        number.unwrap_or_default()
    });
    let changes: Vec<Change> = event.records.into_iter().map(change).collect();
    let mut response = DynamoDbEventResponse::default();
    match projector.apply(&changes).await {
        Ok(projected) => {
            let assets = projected.published.len();
            tracing::info!(changes = changes.len(), assets, "projected");
        }
        Err(error) => {
            tracing::warn!(changes = changes.len(), %error, "not projected: it is tried again");
            let mut failed = DynamoDbBatchItemFailure::default();
            failed.item_identifier = first;
            response.batch_item_failures.push(failed);
        }
    }
    Ok(response)
}

fn change(record: EventRecord) -> Change {
    let change = record.change;
    Change::new(
        change.keys.into_inner(),
        change.old_image.into_inner(),
        change.new_image.into_inner(),
    )
}
