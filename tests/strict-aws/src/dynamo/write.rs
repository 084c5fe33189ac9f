//! `PutItem`, `UpdateItem`, `DeleteItem` and `BatchWriteItem`.

use std::collections::BTreeSet;

use precip_simulator::dynamo::Access;
use serde_json::{Map, Value as Json, json};

use super::{
    action::{Action, LARGEST_ITEM, Write},
    error::{Failure, Reason},
    fields::Fields,
    service::{Dynamo, Moment},
    stream::Deleter,
    table::Key,
    units::{consumed, write_units},
    value::{Attributes, item_size},
};
use crate::faults::Fault;

/// The most items of a batch.
const BATCH: usize = 25;
/// The largest batch, in bytes: 16 MB.
const LARGEST_BATCH: usize = 16 * 1024 * 1024;

impl Dynamo {
    /// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateItem.html>
    pub(super) fn write_item(
        &mut self,
        write: Write,
        call: &str,
        body: &Json,
        moment: &mut Moment<'_>,
    ) -> Result<Json, Failure> {
        let options = ["ReturnConsumedCapacity", "ReturnValues"];
        let (action, fields) = Action::parse(write, body, (call, &options))?;
        let wants_capacity = fields.wants_capacity()?;
        let table = self.table(&action.table)?;
        if table
            .locked
            .get(&action.key)
            .is_some_and(|until| *until > moment.now)
            || moment.happens(Fault::Conflict)
        {
            return Err(Failure::TransactionConflict);
        }
        let decision = action.decide(table);
        moment.consume(table, &action.key, Access::Write, decision.units)?;
        match decision.outcome {
            Ok(item) => table.write(&action.key, item, moment.now, Deleter::Call),
            Err(Reason::Condition(item)) => return Err(Failure::Condition(item)),
            Err(Reason::Validation(message)) => return Err(Failure::Validation(message)),
            Err(other) => panic!("a single write is not refused for {other:?}"),
        }
        let mut answer = Map::new();
        if wants_capacity {
            answer.insert(
                "ConsumedCapacity".to_owned(),
                consumed(&action.table, decision.units),
            );
        }
        Ok(Json::Object(answer))
    }

    /// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html>
    pub(super) fn batch_write(
        &mut self,
        body: &Json,
        moment: &mut Moment<'_>,
    ) -> Result<Json, Failure> {
        let call = "BatchWriteItem";
        let fields = Fields::new(body, call, &["RequestItems", "ReturnConsumedCapacity"])?;
        let wants_capacity = fields.wants_capacity()?;
        let mut writes: Vec<(&String, Key, Option<Attributes>, &Json)> = Vec::new();
        let (mut size, mut keys) = (0, BTreeSet::new());
        let tables = fields.required("RequestItems")?.as_object();
        for (table, requests) in tables.into_iter().flatten() {
            self.table(table)?;
            for request in requests.as_array().into_iter().flatten() {
                let kinds = Fields::new(request, call, &["PutRequest", "DeleteRequest"])?;
                let (key, item) = match (kinds.get("PutRequest"), kinds.get("DeleteRequest")) {
                    (Some(put), None) => {
                        let (key, item) = Fields::new(put, call, &["Item"])?.item("Item")?;
                        (key, Some(item))
                    }
                    (None, Some(delete)) => {
                        (Fields::new(delete, call, &["Key"])?.key("Key")?, None)
                    }
                    _ => {
                        return Err(Failure::validation(
                            "Supplied AttributeValue has more than one datatypes set, must contain \
                             exactly one of the supported datatypes",
                        ));
                    }
                };
                let bytes = item.as_ref().map_or(0, item_size);
                if bytes > LARGEST_ITEM {
                    return Err(Failure::validation(
                        "Item size has exceeded the maximum allowed size",
                    ));
                }
                size += bytes;
                if !keys.insert((table, key.clone())) {
                    return Err(Failure::validation(
                        "Provided list of item keys contains duplicates",
                    ));
                }
                writes.push((table, key, item, request));
            }
        }
        if writes.is_empty() || writes.len() > BATCH {
            return Err(Failure::validation(format!(
                "1 validation error detected: Value at 'RequestItems' failed to satisfy constraint: \
                 Map value must satisfy constraint: [Member must have length less than or equal to \
                 {BATCH}, Member must have length greater than or equal to 1]"
            )));
        }
        if size > LARGEST_BATCH {
            return Err(Failure::validation("The batch is larger than 16 MB"));
        }
        self.write_batch(writes, wants_capacity, moment)
    }

    /// Makes the writes of a batch, each by itself. Those that are throttled come back unprocessed; if
    /// all are, the call fails.
    fn write_batch(
        &mut self,
        writes: Vec<(&String, Key, Option<Attributes>, &Json)>,
        wants_capacity: bool,
        moment: &mut Moment<'_>,
    ) -> Result<Json, Failure> {
        let mut units: Map<String, Json> = Map::new();
        let mut unprocessed: Map<String, Json> = Map::new();
        let mut throttled = None;
        let count = writes.len();
        let mut left = 0;
        for (name, key, item, request) in writes {
            let table = self.table(name)?;
            let size = table.size_of(&key).max(item.as_ref().map_or(0, item_size));
            let used = write_units(size);
            let answer = if moment.happens(Fault::Unprocessed) {
                Err(Failure::KeyThroughput)
            } else {
                moment.consume(table, &key, Access::Write, used)
            };
            match answer {
                Ok(()) => {
                    table.write(&key, item, moment.now, Deleter::Call);
                    let sum = units.get(name).and_then(Json::as_f64).unwrap_or_default();
                    units.insert(name.clone(), json!(sum + used));
                }
                Err(failure) => {
                    throttled = Some(failure);
                    left += 1;
                    let requests = unprocessed.entry(name.clone()).or_insert_with(|| json!([]));
                    if let Some(requests) = requests.as_array_mut() {
                        requests.push(request.clone());
                    }
                }
            }
        }
        if let Some(failure) = throttled.filter(|_| left == count) {
            return Err(failure);
        }
        let mut answer = json!({"UnprocessedItems": unprocessed});
        if wants_capacity {
            let units = units
                .iter()
                .map(|(name, units)| consumed(name, units.as_f64().unwrap_or_default()));
            answer["ConsumedCapacity"] = units.collect();
        }
        Ok(answer)
    }
}
