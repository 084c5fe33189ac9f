//! Writes that are made together or not at all.

use aws_sdk_dynamodb::{
    operation::transact_write_items::TransactWriteItemsError,
    types::{
        ConditionCheck, Delete, Put, ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure,
        TransactWriteItem, Update,
    },
};
use precip_engine::state::StateResult;

use super::{
    super::error::{of_sdk, request},
    op::{Op, Transacted},
    patience::Patience,
    table::{Table, attributes},
};

/// The most writes of one transaction.
pub(in super::super) const TRANSACT_AT_ONCE: usize = 100;

impl Table {
    /// Makes writes of different rows, all or none.
    pub(in super::super) async fn transact(&self, ops: Vec<Op>) -> StateResult<Transacted> {
        let writes = ops
            .into_iter()
            .map(|op| self.transact_item(op))
            .collect::<StateResult<Vec<_>>>()?;
        let mut patience = Patience::new("write rows together");
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
                        .wrote(Some(used.filter_map(|used| used.capacity_units).sum()));
                    return Ok(Transacted::Done);
                }
                Err(error) => error,
            };
            let Some(TransactWriteItemsError::TransactionCanceledException(canceled)) =
                error.as_service_error()
            else {
                return Err(of_sdk(&self.name, "write rows together", error));
            };
            let reasons = canceled.cancellation_reasons();
            if reasons
                .iter()
                .any(|reason| reason.code() == Some("ConditionalCheckFailed"))
            {
                self.meter.refused(writes.len() as u64);
                let refused = reasons.iter().map(|reason| {
                    (reason.code() == Some("ConditionalCheckFailed"))
                        .then(|| reason.item().filter(|item| !item.is_empty()).cloned())
                });
                return Ok(Transacted::Refused(refused.collect()));
            }
            let passing = |code: &str| {
                code == "TransactionConflict"
                    || code == "ThrottlingError"
                    || code == "ProvisionedThroughputExceeded"
            };
            if !reasons
                .iter()
                .filter_map(|reason| reason.code())
                .any(passing)
            {
                return Err(of_sdk(&self.name, "write rows together", error));
            }
            patience.wait().await?;
        }
    }

    fn transact_item(&self, op: Op) -> StateResult<TransactWriteItem> {
        let all_old = ReturnValuesOnConditionCheckFailure::AllOld;
        let item = TransactWriteItem::builder();
        let item = match op {
            Op::Put(row, guard) => item.put(
                Put::builder()
                    .table_name(&self.name)
                    .set_item(Some(row))
                    .set_expression_attribute_values(guard.values())
                    .set_expression_attribute_names(guard.names())
                    .set_condition_expression(guard.condition)
                    .return_values_on_condition_check_failure(all_old)
                    .build()
                    .map_err(|error| request(&self.name, error))?,
            ),
            Op::Update(key, update, guard) => item.update(
                Update::builder()
                    .table_name(&self.name)
                    .set_key(Some(attributes(&key)))
                    .update_expression(update)
                    .set_expression_attribute_values(guard.values())
                    .set_expression_attribute_names(guard.names())
                    .set_condition_expression(guard.condition)
                    .return_values_on_condition_check_failure(all_old)
                    .build()
                    .map_err(|error| request(&self.name, error))?,
            ),
            Op::Delete(key, guard) => item.delete(
                Delete::builder()
                    .table_name(&self.name)
                    .set_key(Some(attributes(&key)))
                    .set_expression_attribute_values(guard.values())
                    .set_expression_attribute_names(guard.names())
                    .set_condition_expression(guard.condition)
                    .return_values_on_condition_check_failure(all_old)
                    .build()
                    .map_err(|error| request(&self.name, error))?,
            ),
            Op::Check(key, guard) => item.condition_check(
                ConditionCheck::builder()
                    .table_name(&self.name)
                    .set_key(Some(attributes(&key)))
                    .set_expression_attribute_values(guard.values())
                    .set_expression_attribute_names(guard.names())
                    .set_condition_expression(guard.condition)
                    .return_values_on_condition_check_failure(all_old)
                    .build()
                    .map_err(|error| request(&self.name, error))?,
            ),
        };
        Ok(item.build())
    }
}
