//! Transactions of writes.

use aws_sdk_dynamodb::{
    operation::transact_write_items::TransactWriteItemsError,
    types::{
        ConditionCheck, Delete, Put, ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure,
        TransactWriteItem, Update,
    },
};
use precip_engine::state::StateResult;

use super::{
    super::error::{incomplete_request, sdk_error},
    op::{Op, TransactOutcome},
    table::{Table, key_attributes},
};

/// The most writes in one transaction.
pub(in super::super) const TRANSACT_AT_ONCE: usize = 100;

/// Returns `true` if a transaction that was canceled for this reason may succeed when it is repeated.
///
/// Source: <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>
fn is_passing(reason: &str) -> bool {
    matches!(
        reason,
        "TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded"
    )
}

impl Table {
    /// Makes writes to different rows, all or none.
    pub(in super::super) async fn transact_ops(
        &self,
        ops: Vec<Op>,
    ) -> StateResult<TransactOutcome> {
        // The requests are built once; only the call is repeated.
        let writes = ops
            .into_iter()
            .map(|op| self.transact_item(op))
            .collect::<StateResult<Vec<_>>>()?;
        let mut backoff = self.backoff("write rows together");
        loop {
            let answer = self
                .client
                .transact_write_items()
                .set_transact_items(Some(writes.clone()))
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await;
            let error = match answer {
                Ok(answer) => {
                    let used = answer.consumed_capacity().iter();
                    self.meter
                        .count_write(Some(used.filter_map(|used| used.capacity_units).sum()));
                    return Ok(TransactOutcome::Done);
                }
                Err(error) => error,
            };
            let Some(TransactWriteItemsError::TransactionCanceledException(canceled)) =
                error.as_service_error()
            else {
                return Err(sdk_error(&self.name, "write rows together", error));
            };
            let reasons = canceled.cancellation_reasons();
            // A condition that does not hold decides, even if another write was in conflict.
            if reasons
                .iter()
                .any(|reason| reason.code() == Some("ConditionalCheckFailed"))
            {
                self.meter.count_refused(writes.len() as u64);
                let refused = reasons.iter().map(|reason| {
                    (reason.code() == Some("ConditionalCheckFailed"))
                        .then(|| reason.item().filter(|item| !item.is_empty()).cloned())
                });
                return Ok(TransactOutcome::Refused(refused.collect()));
            }
            // Conflicts and throttling pass; any other reason does not.
            let mut codes = reasons.iter().filter_map(|reason| reason.code());
            if !codes.any(is_passing) {
                return Err(sdk_error(&self.name, "write rows together", error));
            }
            backoff.wait().await?;
        }
    }

    /// Converts a write to a part of a transaction. A refused part returns its current row.
    fn transact_item(&self, op: Op) -> StateResult<TransactWriteItem> {
        let all_old = ReturnValuesOnConditionCheckFailure::AllOld;
        let item = TransactWriteItem::builder();
        let item = match op {
            Op::Put(row, guard) => item.put(
                Put::builder()
                    .table_name(&self.name)
                    .set_item(Some(row))
                    .set_expression_attribute_values(guard.expression_values())
                    .set_expression_attribute_names(guard.expression_names())
                    .set_condition_expression(guard.condition)
                    .return_values_on_condition_check_failure(all_old)
                    .build()
                    .map_err(|error| incomplete_request(&self.name, error))?,
            ),
            Op::Update(key, update, guard) => item.update(
                Update::builder()
                    .table_name(&self.name)
                    .set_key(Some(key_attributes(&key)))
                    .update_expression(update)
                    .set_expression_attribute_values(guard.expression_values())
                    .set_expression_attribute_names(guard.expression_names())
                    .set_condition_expression(guard.condition)
                    .return_values_on_condition_check_failure(all_old)
                    .build()
                    .map_err(|error| incomplete_request(&self.name, error))?,
            ),
            Op::Delete(key, guard) => item.delete(
                Delete::builder()
                    .table_name(&self.name)
                    .set_key(Some(key_attributes(&key)))
                    .set_expression_attribute_values(guard.expression_values())
                    .set_expression_attribute_names(guard.expression_names())
                    .set_condition_expression(guard.condition)
                    .return_values_on_condition_check_failure(all_old)
                    .build()
                    .map_err(|error| incomplete_request(&self.name, error))?,
            ),
            Op::Check(key, guard) => item.condition_check(
                ConditionCheck::builder()
                    .table_name(&self.name)
                    .set_key(Some(key_attributes(&key)))
                    .set_expression_attribute_values(guard.expression_values())
                    .set_expression_attribute_names(guard.expression_names())
                    .set_condition_expression(guard.condition)
                    .return_values_on_condition_check_failure(all_old)
                    .build()
                    .map_err(|error| incomplete_request(&self.name, error))?,
            ),
        };
        Ok(item.build())
    }
}
