//! A reader of the table's stream that works like an event source mapping.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_dynamodbstreams::{
    Client,
    types::{AttributeValue as Streamed, Record, ShardIteratorType},
};

use crate::state::dynamo::projection::Change;

/// A reader of the stream, with its position in each shard.
pub(super) struct Stream {
    client: Client,
    arn: String,
    iterators: BTreeMap<String, Option<String>>,
}

impl Stream {
    pub(super) fn new(client: Client, arn: String) -> Self {
        Self {
            client,
            arn,
            iterators: BTreeMap::new(),
        }
    }

    /// Reads the changes since the last call, shard after shard, one batch per call of `GetRecords`.
    pub(super) async fn drain_batches(&mut self) -> Vec<Vec<Change>> {
        let mut batches = Vec::new();
        for shard in self.shard_ids().await {
            if !self.iterators.contains_key(&shard) {
                // Shards appear when a table grows; a new one is read from its beginning.
                let iterator = self.shard_iterator(&shard).await;
                self.iterators.insert(shard.clone(), iterator);
            }
            let mut position = self.iterators[&shard].clone();
            while let Some(iterator) = position.clone() {
                let get = self.client.get_records().shard_iterator(iterator);
                let answer = get.send().await.expect("a shard is read");
                position = answer.next_shard_iterator;
                let records = answer.records.unwrap_or_default();
                if records.is_empty() {
                    // The end of what was written so far; the position stays for the next call.
                    break;
                }
                batches.push(records.into_iter().map(to_change).collect());
            }
            self.iterators.insert(shard, position);
        }
        batches
    }

    async fn shard_ids(&self) -> Vec<String> {
        let describe = self.client.describe_stream().stream_arn(&self.arn);
        let answer = describe.send().await.expect("the stream is described");
        let shards = answer.stream_description.and_then(|stream| stream.shards);
        shards
            .unwrap_or_default()
            .into_iter()
            .filter_map(|shard| shard.shard_id)
            .collect()
    }

    async fn shard_iterator(&self, shard: &str) -> Option<String> {
        let get = self
            .client
            .get_shard_iterator()
            .stream_arn(&self.arn)
            .shard_id(shard)
            .shard_iterator_type(ShardIteratorType::TrimHorizon);
        let answer = get.send().await;
        answer.expect("a shard has a beginning").shard_iterator
    }
}

fn to_change(record: Record) -> Change {
    let change = record.dynamodb.expect("a record holds a change");
    let image = |image: Option<HashMap<String, Streamed>>| -> HashMap<String, AttributeValue> {
        image
            .into_iter()
            .flatten()
            .map(|(name, value)| (name, to_attribute(value)))
            .collect()
    };
    Change::new(
        image(change.keys),
        image(change.old_image),
        image(change.new_image),
    )
}

fn to_attribute(value: Streamed) -> AttributeValue {
    match value {
        Streamed::S(text) => AttributeValue::S(text),
        Streamed::N(number) => AttributeValue::N(number),
        Streamed::B(bytes) => AttributeValue::B(bytes),
        Streamed::M(map) => AttributeValue::M(
            map.into_iter()
                .map(|(name, value)| (name, to_attribute(value)))
                .collect(),
        ),
        other => panic!("no row holds {other:?}"),
    }
}
