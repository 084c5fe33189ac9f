//! `Query`.

use precip_simulator::dynamo::Access;
use serde_json::{Value as Json, json};

use super::{
    error::Failure,
    expression::{Kind, Placeholders, parse_condition, parse_key_condition, parse_projection},
    fields::Fields,
    read::project,
    service::{Dynamo, Moment},
    table::{Key, PARTITION_KEY, SORT_KEY},
    units::{consumed, read_units},
    value::{item_size, item_to_json},
};

/// The largest page, in bytes, before a filter: 1 MB.
///
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html>
const PAGE: usize = 1024 * 1024;

const PARAMETERS: [&str; 11] = [
    "TableName",
    "KeyConditionExpression",
    "FilterExpression",
    "ProjectionExpression",
    "ExpressionAttributeNames",
    "ExpressionAttributeValues",
    "ConsistentRead",
    "ScanIndexForward",
    "Limit",
    "ExclusiveStartKey",
    "ReturnConsumedCapacity",
];

impl Dynamo {
    /// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html>
    pub(super) fn query(&mut self, body: &Json, moment: &mut Moment<'_>) -> Result<Json, Failure> {
        let fields = Fields::new(body, "Query", &PARAMETERS)?;
        let wants_capacity = fields.wants_capacity()?;
        let placeholders = Placeholders::from_json(
            fields.get("ExpressionAttributeNames"),
            fields.get("ExpressionAttributeValues"),
            true,
        )?;
        let condition = parse_key_condition(fields.text("KeyConditionExpression")?, &placeholders)?;
        let filter = fields.expression("FilterExpression");
        let filter = filter
            .map(|text| parse_condition(Kind::Filter, text, &placeholders))
            .transpose()?;
        let projection = fields.expression("ProjectionExpression");
        let projection = projection
            .map(|text| parse_projection(text, &placeholders))
            .transpose()?;
        placeholders.check_all_used()?;
        let filtered = filter.iter().flat_map(|filter| filter.paths());
        for path in filtered {
            if [PARTITION_KEY, SORT_KEY].contains(&path.attribute()) {
                return Err(Failure::validation(format!(
                    "Filter Expression can only contain non-primary key attributes: Primary key \
                     attribute: {}",
                    path.attribute()
                )));
            }
        }
        let limit = fields
            .get("Limit")
            .map(|limit| limit.as_u64().unwrap_or_default());
        if limit == Some(0) {
            return Err(Failure::validation(
                "1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: \
                 Member must have value greater than or equal to 1",
            ));
        }
        let start = match fields.get("ExclusiveStartKey") {
            Some(_) => Some(fields.key("ExclusiveStartKey")?),
            None => None,
        };
        if let Some(start) = &start
            && (start.partition != condition.partition || !condition.sort.holds(&start.sort))
        {
            return Err(Failure::validation(
                "The provided starting key is outside query boundaries based on provided conditions",
            ));
        }
        let (name, consistent) = (
            fields.text("TableName")?,
            fields.flag("ConsistentRead", false),
        );
        let forward = fields.flag("ScanIndexForward", true);
        let table = self.table(name)?;
        let at = moment.of_read(table, consistent);
        let start = start.as_ref().map(|key| key.sort.as_str());
        let (after, before) = if forward {
            (start, None)
        } else {
            (None, start)
        };
        let mut keys = table.keys_in(&condition.partition, after, before);
        if !forward {
            keys.reverse();
        }
        let (mut found, mut size, mut scanned) = (Vec::new(), 0, 0_u64);
        let mut last = None;
        let matching = keys
            .into_iter()
            .filter(|key| condition.sort.holds(&key.sort));
        let mut rows = matching.filter_map(|key| {
            let item = table.item_at(&key, at)?;
            Some((key, item))
        });
        for (key, item) in rows.by_ref() {
            size += item_size(item);
            scanned += 1;
            if filter.as_ref().is_none_or(|filter| filter.holds(item)) {
                found.push(item_to_json(&project(item, projection.as_deref())));
            }
            // A page may end where the list does: only an empty page after it says so.
            if size >= PAGE || limit == Some(scanned) {
                last = Some(key);
                break;
            }
        }
        drop(rows);
        let units = read_units(size, consistent);
        let partition = Key {
            partition: condition.partition,
            sort: String::new(),
        };
        moment.consume(table, &partition, Access::Read, units)?;
        let mut answer = json!({
            "Count": found.len(),
            "ScannedCount": scanned,
            "Items": found,
        });
        if let Some(key) = last {
            answer["LastEvaluatedKey"] = item_to_json(&key.to_attributes());
        }
        if wants_capacity {
            answer["ConsumedCapacity"] = consumed(name, units);
        }
        Ok(answer)
    }
}
