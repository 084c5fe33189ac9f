//! Records of a table's stream.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value as Json, json};

use super::{
    table::Key,
    value::{Attributes, item_size, item_to_json},
};

/// The cause of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deleter {
    /// A call.
    Call,
    /// The item's expiry.
    Expiry,
}

/// A change of an item.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StreamRecord {
    pub(crate) key: Key,
    pub(crate) sequence: u64,
    pub(crate) at: Duration,
    pub(crate) old: Option<Attributes>,
    pub(crate) new: Option<Attributes>,
    pub(crate) deleter: Deleter,
}

impl StreamRecord {
    /// Returns the shard of the record, out of so many. A key's records are in one shard.
    pub(crate) fn shard(&self, shards: u64) -> u64 {
        self.key.partition_number() % shards.max(1)
    }

    /// Returns the record as Lambda's event has it.
    ///
    /// <https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html>
    pub(crate) fn to_json(&self, start: DateTime<Utc>) -> Json {
        let name = match (&self.old, &self.new) {
            (None, _) => "INSERT",
            (Some(_), Some(_)) => "MODIFY",
            (Some(_), None) => "REMOVE",
        };
        let keys = self.key.to_attributes();
        let size = [&self.old, &self.new].map(|image| image.as_ref().map_or(0, item_size));
        let mut change = json!({
            "ApproximateCreationDateTime": start.timestamp() + self.at.as_secs() as i64,
            "Keys": item_to_json(&keys),
            "SequenceNumber": format!("{:021}", self.sequence),
            "SizeBytes": item_size(&keys) + size[0] + size[1],
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        });
        for (image, item) in [("OldImage", &self.old), ("NewImage", &self.new)] {
            if let Some(item) = item {
                change[image] = item_to_json(item);
            }
        }
        let mut record = json!({
            "eventID": format!("{:032x}", self.sequence),
            "eventName": name,
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": crate::aws::REGION,
            "dynamodb": change,
            "eventSourceARN": "arn:aws:dynamodb:us-east-1:000000000000:table/strict/stream/1",
        });
        if self.deleter == Deleter::Expiry {
            record["userIdentity"] = json!({
                "type": "Service",
                "principalId": "dynamodb.amazonaws.com",
            });
        }
        record
    }
}
