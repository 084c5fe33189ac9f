//! [`Table`]: the calls of DynamoDB, with capacity counted, unprocessed parts asked for again and
//! errors of the port.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use aws_sdk_dynamodb::{
    Client,
    error::SdkError,
    operation::{
        delete_item::DeleteItemError, put_item::PutItemError,
        transact_write_items::TransactWriteItemsError, update_item::UpdateItemError,
    },
    types::{
        AttributeValue, ConditionCheck, Delete, DeleteRequest, KeysAndAttributes, Put, PutRequest,
        ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
        WriteRequest, error::ConditionalCheckFailedException,
    },
};
use futures::{StreamExt, TryStreamExt, stream};
use precip_engine::state::{ReadConsistency, StateResult};

use super::{
    capacity::CapacityMeter,
    error::{contended, of_sdk, request},
    item::{Attributes, Item, text},
    keys::Key,
};

/// The most items of one `BatchGetItem`, one `BatchWriteItem` and one `TransactWriteItems`.
const GET_AT_ONCE: usize = 100;
const WRITE_AT_ONCE: usize = 25;
pub(super) const TRANSACT_AT_ONCE: usize = 100;

/// How many requests of one call are under way at a time.
pub(super) const REQUESTS_AT_ONCE: usize = 16;

/// How often a call that others keep getting in the way of is made before it is given up.
const PATIENCE: u32 = 30;

/// What has to hold for a write to be made.
#[derive(Debug, Clone, Default)]
pub(super) struct Guard {
    pub(super) condition: Option<String>,
    pub(super) values: Vec<(String, AttributeValue)>,
    pub(super) names: Vec<(String, String)>,
}

impl Guard {
    /// No condition.
    pub(super) fn none() -> Self {
        Self::default()
    }

    /// A condition.
    pub(super) fn when(condition: impl Into<String>) -> Self {
        Self {
            condition: Some(condition.into()),
            ..Self::default()
        }
    }

    /// Names a value of the condition or of the update, such as `:run`.
    pub(super) fn value(mut self, name: impl Into<String>, value: AttributeValue) -> Self {
        self.values.push((name.into(), value));
        self
    }

    /// Names an attribute, such as `#h`.
    pub(super) fn name(mut self, placeholder: impl Into<String>, name: impl Into<String>) -> Self {
        self.names.push((placeholder.into(), name.into()));
        self
    }

    fn values(&self) -> Option<HashMap<String, AttributeValue>> {
        (!self.values.is_empty()).then(|| self.values.iter().cloned().collect())
    }

    fn names(&self) -> Option<HashMap<String, String>> {
        (!self.names.is_empty()).then(|| self.names.iter().cloned().collect())
    }
}

/// A write.
#[derive(Debug, Clone)]
pub(super) enum Op {
    /// Replaces a row.
    Put(Item, Guard),
    /// Changes attributes of a row by an update expression.
    Update(Key, String, Guard),
    /// Takes a row away.
    Delete(Key, Guard),
    /// Changes nothing; in a transaction only.
    Check(Key, Guard),
}

/// What came of a write.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Written {
    /// It was made.
    Done,
    /// Its condition does not hold; the row as it is, if there is one.
    Refused(Option<Item>),
}

impl Written {
    pub(super) fn is_done(&self) -> bool {
        *self == Self::Done
    }
}

/// What came of a transaction.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Transacted {
    /// All of it was made.
    Done,
    /// Nothing was. Of each write: whether its condition did not hold, with the row as it is.
    Refused(Vec<Option<Option<Item>>>),
}

/// Waits between attempts, longer each time, until patience ends.
#[derive(Debug)]
pub(super) struct Patience {
    doing: &'static str,
    waited: u32,
}

impl Patience {
    pub(super) fn new(doing: &'static str) -> Self {
        Self { doing, waited: 0 }
    }

    /// Waits a little, by chance, so that those who met do not meet again.
    ///
    /// # Errors
    /// `Retry` when it was waited often enough.
    pub(super) async fn wait(&mut self) -> StateResult<()> {
        self.waited += 1;
        if self.waited > PATIENCE {
            return Err(contended(self.doing));
        }
        let most = 5_u64 << self.waited.min(6);
        tokio::time::sleep(Duration::from_millis(fastrand::u64(1..=most))).await;
        Ok(())
    }
}

/// Which rows of one partition key are read.
#[derive(Debug, Clone)]
pub(super) struct Query {
    pub(super) pk: String,
    pub(super) prefix: Option<String>,
    /// Only what comes behind this sort key, in the direction of reading.
    pub(super) after: Option<String>,
    pub(super) newest_first: bool,
    pub(super) limit: Option<usize>,
    pub(super) consistency: ReadConsistency,
    pub(super) filter: Option<(String, (String, AttributeValue))>,
}

impl Query {
    /// Every row of a partition key.
    pub(super) fn all(pk: impl Into<String>) -> Self {
        Self {
            pk: pk.into(),
            prefix: None,
            after: None,
            newest_first: false,
            limit: None,
            consistency: ReadConsistency::Strong,
            filter: None,
        }
    }

    /// Only sort keys that begin with something.
    pub(super) fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = Some(prefix.into());
        self
    }

    /// Only sort keys behind a place, in the direction of reading. The place begins with the prefix.
    pub(super) fn after(mut self, place: Option<String>) -> Self {
        self.after = place;
        self
    }

    pub(super) fn newest_first(mut self) -> Self {
        self.newest_first = true;
        self
    }

    pub(super) fn limit(mut self, limit: usize) -> Self {
        self.limit = Some(limit);
        self
    }

    pub(super) fn eventual(mut self) -> Self {
        self.consistency = ReadConsistency::Eventual;
        self
    }
}

/// A table and the client that reaches it.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) client: Client,
    pub(super) name: String,
    pub(super) meter: Arc<CapacityMeter>,
}

fn attributes(key: &Key) -> Item {
    [
        ("pk".to_owned(), text(&key.pk)),
        ("sk".to_owned(), text(&key.sk)),
    ]
    .into()
}

fn is_strong(consistency: ReadConsistency) -> bool {
    consistency == ReadConsistency::Strong
}

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
    pub(super) fn new(client: Client, name: String) -> Self {
        Self {
            client,
            name,
            meter: Arc::default(),
        }
    }

    /// One row.
    pub(super) async fn get(
        &self,
        key: &Key,
        consistency: ReadConsistency,
    ) -> StateResult<Option<Item>> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.name)
            .set_key(Some(attributes(key)))
            .consistent_read(is_strong(consistency))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|error| of_sdk(&self.name, "read a row", error))?;
        let used = answer.consumed_capacity.as_ref();
        self.meter.read(used.and_then(|used| used.capacity_units));
        Ok(answer.item)
    }

    /// Many rows, by key; those that are not there are left out.
    pub(super) async fn get_many(
        &self,
        keys: impl IntoIterator<Item = Key>,
        consistency: ReadConsistency,
    ) -> StateResult<HashMap<Key, Item>> {
        let keys: Vec<Key> = keys
            .into_iter()
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        let chunks: Vec<Vec<Item>> = keys
            .chunks(GET_AT_ONCE)
            .map(|chunk| chunk.iter().map(attributes).collect())
            .collect();
        let read: Vec<Vec<Item>> = stream::iter(chunks)
            .map(|chunk| self.get_chunk(chunk, consistency))
            .buffer_unordered(REQUESTS_AT_ONCE)
            .try_collect()
            .await?;
        let rows = read.into_iter().flatten();
        Ok(rows.map(|row| (row.key(), row)).collect())
    }

    async fn get_chunk(
        &self,
        mut keys: Vec<Item>,
        consistency: ReadConsistency,
    ) -> StateResult<Vec<Item>> {
        let mut found = Vec::with_capacity(keys.len());
        let mut patience = Patience::new("read rows");
        loop {
            let wanted = KeysAndAttributes::builder()
                .set_keys(Some(keys))
                .consistent_read(is_strong(consistency))
                .build()
                .map_err(|error| request(&self.name, error))?;
            let mut answer = self
                .client
                .batch_get_item()
                .request_items(&self.name, wanted)
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await
                .map_err(|error| of_sdk(&self.name, "read rows", error))?;
            let used = answer.consumed_capacity().iter();
            self.meter
                .read(Some(used.filter_map(|used| used.capacity_units).sum()));
            let rows = answer.responses.take().into_iter().flatten();
            found.extend(rows.flat_map(|(_, rows)| rows));
            let left = answer.unprocessed_keys.take().into_iter().flatten();
            keys = left.flat_map(|(_, left)| left.keys).collect();
            if keys.is_empty() {
                return Ok(found);
            }
            patience.wait().await?;
        }
    }

    /// Rows of one partition key, in order, page after page until there are as many as wanted.
    pub(super) async fn query(&self, query: Query) -> StateResult<Vec<Item>> {
        let mut found = Vec::new();
        let mut start = query.after.as_ref().map(|sk| {
            attributes(&Key {
                pk: query.pk.clone(),
                sk: sk.clone(),
            })
        });
        loop {
            let mut ask = self
                .client
                .query()
                .table_name(&self.name)
                .expression_attribute_values(":pk", text(&query.pk))
                .consistent_read(is_strong(query.consistency))
                .scan_index_forward(!query.newest_first)
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .set_exclusive_start_key(start);
            ask = match &query.prefix {
                Some(prefix) => ask
                    .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
                    .expression_attribute_values(":prefix", text(prefix)),
                None => ask.key_condition_expression("pk = :pk"),
            };
            if let Some((filter, (name, value))) = &query.filter {
                ask = ask
                    .filter_expression(filter)
                    .expression_attribute_values(name, value.clone());
            } else if let Some(limit) = query.limit {
                let left = limit.saturating_sub(found.len());
                ask = ask.limit(i32::try_from(left).unwrap_or(i32::MAX).max(1));
            }
            let answer = ask
                .send()
                .await
                .map_err(|error| of_sdk(&self.name, "list rows", error))?;
            let used = answer.consumed_capacity.as_ref();
            self.meter.read(used.and_then(|used| used.capacity_units));
            found.extend(answer.items.unwrap_or_default());
            start = answer.last_evaluated_key.filter(|key| !key.is_empty());
            let enough = query.limit.is_some_and(|limit| found.len() >= limit);
            if enough || start.is_none() {
                found.truncate(query.limit.unwrap_or(usize::MAX));
                return Ok(found);
            }
        }
    }

    /// Makes one write, if its condition holds.
    pub(super) async fn write(&self, op: Op) -> StateResult<Written> {
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

    /// Makes writes of different rows, all or none.
    pub(super) async fn transact(&self, ops: Vec<Op>) -> StateResult<Transacted> {
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

    /// Puts and deletes rows, each by itself and without conditions. A row named twice is written as
    /// it was named last.
    pub(super) async fn write_all(&self, puts: Vec<Item>, deletes: Vec<Key>) -> StateResult<()> {
        let mut requests: HashMap<Key, WriteRequest> = HashMap::new();
        for row in puts {
            let key = row.key();
            let put = PutRequest::builder()
                .set_item(Some(row))
                .build()
                .map_err(|error| request(&self.name, error))?;
            requests.insert(key, WriteRequest::builder().put_request(put).build());
        }
        for key in deletes {
            let delete = DeleteRequest::builder()
                .set_key(Some(attributes(&key)))
                .build()
                .map_err(|error| request(&self.name, error))?;
            requests.insert(key, WriteRequest::builder().delete_request(delete).build());
        }
        let requests: Vec<WriteRequest> = requests.into_values().collect();
        let chunks: Vec<Vec<WriteRequest>> =
            requests.chunks(WRITE_AT_ONCE).map(<[_]>::to_vec).collect();
        stream::iter(chunks)
            .map(|chunk| self.write_chunk(chunk))
            .buffer_unordered(REQUESTS_AT_ONCE)
            .try_collect()
            .await
    }

    async fn write_chunk(&self, mut requests: Vec<WriteRequest>) -> StateResult<()> {
        let mut patience = Patience::new("write rows");
        loop {
            let mut answer = self
                .client
                .batch_write_item()
                .request_items(&self.name, requests)
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await
                .map_err(|error| of_sdk(&self.name, "write rows", error))?;
            let used = answer.consumed_capacity().iter();
            self.meter
                .wrote(Some(used.filter_map(|used| used.capacity_units).sum()));
            let left = answer.unprocessed_items.take().into_iter().flatten();
            requests = left.flat_map(|(_, left)| left).collect();
            if requests.is_empty() {
                return Ok(());
            }
            patience.wait().await?;
        }
    }
}
