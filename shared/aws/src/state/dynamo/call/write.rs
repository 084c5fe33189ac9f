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
    super::{error::of_sdk, item::Item, keys::Key},
    op::{Guard, Op, Transacted, Written},
    patience::Patience,
    table::{Table, attributes},
};

/// An error of a single write, as far as it says something of its condition.
enum Refusal {
    Condition(Option<Item>),
    Conflict,
    Other,
}

fn condition(error: &ConditionalCheckFailedException) -> Refusal {
    Refusal::Condition(error.item().cloned())
}

impl Table {
    /// Makes one write, if its condition holds.
    pub(in super::super) async fn write(&self, op: Op) -> StateResult<Written> {
        let mut patience = Patience::new("write a row");
        loop {
            let (refusal, error) = match op.clone() {
                Op::Put(item, guard) => match self.put(item, guard).await {
                    Ok(used) => return Ok(self.done(used)),
                    Err(error) => (
                        match error.as_service_error() {
                            Some(PutItemError::ConditionalCheckFailedException(e)) => condition(e),
                            Some(PutItemError::TransactionConflictException(_)) => {
                                Refusal::Conflict
                            }
                            _ => Refusal::Other,
                        },
                        of_sdk(&self.name, "write a row", error),
                    ),
                },
                Op::Update(key, update, guard) => match self.update(&key, update, guard).await {
                    Ok(used) => return Ok(self.done(used)),
                    Err(error) => (
                        match error.as_service_error() {
                            Some(UpdateItemError::ConditionalCheckFailedException(e)) => {
                                condition(e)
                            }
                            Some(UpdateItemError::TransactionConflictException(_)) => {
                                Refusal::Conflict
                            }
                            _ => Refusal::Other,
                        },
                        of_sdk(&self.name, "change a row", error),
                    ),
                },
                Op::Delete(key, guard) => match self.delete(&key, guard).await {
                    Ok(used) => return Ok(self.done(used)),
                    Err(error) => (
                        match error.as_service_error() {
                            Some(DeleteItemError::ConditionalCheckFailedException(e)) => {
                                condition(e)
                            }
                            Some(DeleteItemError::TransactionConflictException(_)) => {
                                Refusal::Conflict
                            }
                            _ => Refusal::Other,
                        },
                        of_sdk(&self.name, "delete a row", error),
                    ),
                },
                check @ Op::Check(..) => {
                    return Ok(match self.transact(vec![check]).await? {
                        Transacted::Done => Written::Done,
                        Transacted::Refused(mut of) => {
                            Written::Refused(of.pop().flatten().flatten())
                        }
                    });
                }
            };
            match refusal {
                Refusal::Condition(row) => {
                    self.meter.refused(1);
                    return Ok(Written::Refused(row.filter(|row| !row.is_empty())));
                }
                Refusal::Conflict => patience.wait().await?,
                Refusal::Other => return Err(error),
            }
        }
    }

    fn done(&self, used: Option<f64>) -> Written {
        self.meter.wrote(used);
        Written::Done
    }

    async fn put(&self, item: Item, guard: Guard) -> Result<Option<f64>, SdkError<PutItemError>> {
        let put = self.client.put_item().table_name(&self.name);
        let answer = put
            .set_item(Some(item))
            .set_expression_attribute_values(guard.values())
            .set_expression_attribute_names(guard.names())
            .set_condition_expression(guard.condition)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await?;
        Ok(answer
            .consumed_capacity
            .and_then(|used| used.capacity_units))
    }

    async fn update(
        &self,
        key: &Key,
        update: String,
        guard: Guard,
    ) -> Result<Option<f64>, SdkError<UpdateItemError>> {
        let answer = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(attributes(key)))
            .update_expression(update)
            .set_expression_attribute_values(guard.values())
            .set_expression_attribute_names(guard.names())
            .set_condition_expression(guard.condition)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await?;
        Ok(answer
            .consumed_capacity
            .and_then(|used| used.capacity_units))
    }

    async fn delete(
        &self,
        key: &Key,
        guard: Guard,
    ) -> Result<Option<f64>, SdkError<DeleteItemError>> {
        let answer = self
            .client
            .delete_item()
            .table_name(&self.name)
            .set_key(Some(attributes(key)))
            .set_expression_attribute_values(guard.values())
            .set_expression_attribute_names(guard.names())
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
