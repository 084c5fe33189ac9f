//! Single writes.

use aws_sdk_dynamodb::{
    error::SdkError,
    operation::{
        delete_item::DeleteItemError, put_item::PutItemError, update_item::UpdateItemError,
    },
    types::{
        ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure,
        error::ConditionalCheckFailedException,
    },
};
use precip_engine::state::StateResult;

use super::{
    super::{error::sdk_error, item::Item, keys::Key},
    op::{Guard, Op, TransactOutcome, WriteOutcome},
    table::{Table, key_attributes},
};

/// The part of a single write's error that concerns its condition.
enum Refusal {
    /// The condition does not hold. Holds the current row.
    Condition(Option<Item>),
    /// A transaction on the same row was in progress; nothing is known of the condition.
    Conflict,
    /// Nothing: the call failed.
    Other,
}

fn condition_refusal(error: &ConditionalCheckFailedException) -> Refusal {
    Refusal::Condition(error.item().cloned())
}

impl Table {
    /// Makes one write if its condition holds.
    pub(in super::super) async fn write_op(&self, op: Op) -> StateResult<WriteOutcome> {
        let mut backoff = self.backoff("write a row");
        // Each kind of write has an error type of its own, with the same two cases of interest.
        loop {
            let (refusal, error) = match op.clone() {
                Op::Put(item, guard) => match self.put_row(item, guard).await {
                    Ok(used) => return Ok(self.finish_write(used)),
                    Err(error) => (
                        match error.as_service_error() {
                            Some(PutItemError::ConditionalCheckFailedException(e)) => {
                                condition_refusal(e)
                            }
                            Some(PutItemError::TransactionConflictException(_)) => {
                                Refusal::Conflict
                            }
                            _ => Refusal::Other,
                        },
                        sdk_error(&self.name, "write a row", error),
                    ),
                },
                Op::Update(key, update, guard) => {
                    match self.update_row(&key, update, guard).await {
                        Ok(used) => return Ok(self.finish_write(used)),
                        Err(error) => (
                            match error.as_service_error() {
                                Some(UpdateItemError::ConditionalCheckFailedException(e)) => {
                                    condition_refusal(e)
                                }
                                Some(UpdateItemError::TransactionConflictException(_)) => {
                                    Refusal::Conflict
                                }
                                _ => Refusal::Other,
                            },
                            sdk_error(&self.name, "change a row", error),
                        ),
                    }
                }
                Op::Delete(key, guard) => match self.delete_row(&key, guard).await {
                    Ok(used) => return Ok(self.finish_write(used)),
                    Err(error) => (
                        match error.as_service_error() {
                            Some(DeleteItemError::ConditionalCheckFailedException(e)) => {
                                condition_refusal(e)
                            }
                            Some(DeleteItemError::TransactionConflictException(_)) => {
                                Refusal::Conflict
                            }
                            _ => Refusal::Other,
                        },
                        sdk_error(&self.name, "delete a row", error),
                    ),
                },
                check @ Op::Check(..) => {
                    // DynamoDB has condition checks only in transactions.
                    return Ok(match self.transact_ops(vec![check]).await? {
                        TransactOutcome::Done => WriteOutcome::Done,
                        TransactOutcome::Refused(mut rows) => {
                            WriteOutcome::Refused(rows.pop().flatten().flatten())
                        }
                    });
                }
            };
            match refusal {
                Refusal::Condition(row) => {
                    // An empty row means that there is none.
                    self.meter.count_refused(1);
                    return Ok(WriteOutcome::Refused(row.filter(|row| !row.is_empty())));
                }
                Refusal::Conflict => backoff.wait().await?,
                Refusal::Other => return Err(error),
            }
        }
    }

    fn finish_write(&self, used: Option<f64>) -> WriteOutcome {
        self.meter.count_write(used);
        WriteOutcome::Done
    }

    async fn put_row(
        &self,
        item: Item,
        guard: Guard,
    ) -> Result<Option<f64>, SdkError<PutItemError>> {
        let put = self.client.put_item().table_name(&self.name);
        let answer = put
            .set_item(Some(item))
            .set_expression_attribute_values(guard.expression_values())
            .set_expression_attribute_names(guard.expression_names())
            .set_condition_expression(guard.condition)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await?;
        Ok(answer
            .consumed_capacity
            .and_then(|used| used.capacity_units))
    }

    async fn update_row(
        &self,
        key: &Key,
        update: String,
        guard: Guard,
    ) -> Result<Option<f64>, SdkError<UpdateItemError>> {
        let answer = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(key_attributes(key)))
            .update_expression(update)
            .set_expression_attribute_values(guard.expression_values())
            .set_expression_attribute_names(guard.expression_names())
            .set_condition_expression(guard.condition)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await?;
        Ok(answer
            .consumed_capacity
            .and_then(|used| used.capacity_units))
    }

    async fn delete_row(
        &self,
        key: &Key,
        guard: Guard,
    ) -> Result<Option<f64>, SdkError<DeleteItemError>> {
        let answer = self
            .client
            .delete_item()
            .table_name(&self.name)
            .set_key(Some(key_attributes(key)))
            .set_expression_attribute_values(guard.expression_values())
            .set_expression_attribute_names(guard.expression_names())
            .set_condition_expression(guard.condition)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await?;
        Ok(answer
            .consumed_capacity
            .and_then(|used| used.capacity_units))
    }
}
