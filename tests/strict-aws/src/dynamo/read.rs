//! `GetItem` and `BatchGetItem`.

use std::collections::BTreeSet;

use precip_simulator::dynamo::Access;
use serde_json::{Map, Value as Json, json};

use super::{
    error::Failure,
    expression::{Path, Placeholders, parse_projection},
    fields::Fields,
    service::{Dynamo, Moment},
    table::Key,
    units::{consumed, read_units},
    value::{Attributes, item_size, item_to_json},
};
use crate::faults::Fault;

/// The most keys of a batch.
const BATCH: usize = 100;
/// The largest answer of a batch, in bytes: 16 MB.
const LARGEST_ANSWER: usize = 16 * 1024 * 1024;

/// Returns the attributes of an item that a projection names.
///
/// # Panics
/// For paths into attributes, which no caller uses.
pub(super) fn project(item: &Attributes, projection: Option<&[Path]>) -> Attributes {
    let Some(paths) = projection else {
        return item.clone();
    };
    let named = paths.iter().filter_map(|path| {
        let Some(name) = path.as_attribute() else {
            panic!("the strict AWS does not know projections of parts of attributes");
        };
        Some((name.to_owned(), item.get(name)?.clone()))
    });
    named.collect()
}

/// Reads a projection with the names that it uses.
fn parse_projected(fields: &Fields<'_>) -> Result<Option<Vec<Path>>, Failure> {
    let text = fields.expression("ProjectionExpression");
    let names = fields.get("ExpressionAttributeNames");
    let placeholders = Placeholders::from_json(names, None, text.is_some())?;
    let paths = text
        .map(|text| parse_projection(text, &placeholders))
        .transpose()?;
    placeholders.check_all_used()?;
    Ok(paths)
}

impl Dynamo {
    /// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_GetItem.html>
    pub(super) fn get_item(
        &mut self,
        body: &Json,
        moment: &mut Moment<'_>,
    ) -> Result<Json, Failure> {
        let known = [
            "TableName",
            "Key",
            "ConsistentRead",
            "ReturnConsumedCapacity",
            "ProjectionExpression",
            "ExpressionAttributeNames",
        ];
        let fields = Fields::new(body, "GetItem", &known)?;
        let wants_capacity = fields.wants_capacity()?;
        let projection = parse_projected(&fields)?;
        let (name, key) = (fields.text("TableName")?, fields.key("Key")?);
        let consistent = fields.flag("ConsistentRead", false);
        let table = self.table(name)?;
        let at = moment.of_read(table, consistent);
        let found = table.item_at(&key, at).cloned();
        let units = read_units(found.as_ref().map_or(0, item_size), consistent);
        moment.consume(table, &key, Access::Read, units)?;
        let mut answer = Map::new();
        if let Some(item) = found {
            let item = project(&item, projection.as_deref());
            answer.insert("Item".to_owned(), item_to_json(&item));
        }
        if wants_capacity {
            answer.insert("ConsumedCapacity".to_owned(), consumed(name, units));
        }
        Ok(Json::Object(answer))
    }

    /// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html>
    pub(super) fn batch_get(
        &mut self,
        body: &Json,
        moment: &mut Moment<'_>,
    ) -> Result<Json, Failure> {
        let call = "BatchGetItem";
        let fields = Fields::new(body, call, &["RequestItems", "ReturnConsumedCapacity"])?;
        let wants_capacity = fields.wants_capacity()?;
        let tables = fields.required("RequestItems")?.as_object();
        let (mut answer, mut left) = (Map::new(), Map::new());
        let (mut units, mut size) = (Vec::new(), 0);
        let (mut count, mut processed, mut throttled) = (0, 0, None);
        for (name, wanted) in tables.into_iter().flatten() {
            let known = [
                "Keys",
                "ConsistentRead",
                "ProjectionExpression",
                "ExpressionAttributeNames",
            ];
            let wanted_fields = Fields::new(wanted, call, &known)?;
            let projection = parse_projected(&wanted_fields)?;
            let consistent = wanted_fields.flag("ConsistentRead", false);
            let keys = parse_keys(&wanted_fields)?;
            count += keys.len();
            if count > BATCH {
                return Err(Failure::validation(
                    "Too many items requested for the BatchGetItem call",
                ));
            }
            let table = self.table(name)?;
            let (mut found, mut unread, mut used) = (Vec::new(), Vec::new(), 0.0);
            for (key, json) in keys {
                // Each item is read from a replica of its own partition.
                let at = moment.of_read(table, consistent);
                let item = table.item_at(&key, at).cloned();
                let bytes = item.as_ref().map_or(0, item_size);
                let key_units = read_units(bytes, consistent);
                let answer = if size + bytes > LARGEST_ANSWER {
                    Err(None)
                } else if moment.happens(Fault::Unprocessed) {
                    Err(Some(Failure::KeyThroughput))
                } else {
                    moment
                        .consume(table, &key, Access::Read, key_units)
                        .map_err(Some)
                };
                match answer {
                    Ok(()) => {
                        processed += 1;
                        size += bytes;
                        used += key_units;
                        let item = item.map(|item| project(&item, projection.as_deref()));
                        found.extend(item.as_ref().map(item_to_json));
                    }
                    Err(failure) => {
                        throttled = failure.or(throttled);
                        unread.push(json.clone());
                    }
                }
            }
            moment.rng.shuffle(&mut found);
            answer.insert(name.clone(), found.into());
            units.push(consumed(name, used));
            if !unread.is_empty() {
                let mut wanted = wanted.clone();
                wanted["Keys"] = unread.into();
                left.insert(name.clone(), wanted);
            }
        }
        if count == 0 {
            return Err(Failure::validation(
                "The list of keys in RequestItems is empty",
            ));
        }
        if let Some(failure) = throttled.filter(|_| processed == 0) {
            return Err(failure);
        }
        let mut answer = json!({"Responses": answer, "UnprocessedKeys": left});
        if wants_capacity {
            answer["ConsumedCapacity"] = units.into();
        }
        Ok(answer)
    }
}

/// Reads the keys of a batch. None may come twice.
fn parse_keys<'a>(wanted: &Fields<'a>) -> Result<Vec<(Key, &'a Json)>, Failure> {
    let mut seen = BTreeSet::new();
    let keys = wanted.required("Keys")?.as_array();
    let key = |json: &'a Json| {
        let wrapped = json!({"Key": json});
        let key = Fields::new(&wrapped, "BatchGetItem", &["Key"])?.key("Key")?;
        if !seen.insert(key.clone()) {
            return Err(Failure::validation(
                "Provided list of item keys contains duplicates",
            ));
        }
        Ok((key, json))
    };
    keys.into_iter().flatten().map(key).collect()
}
