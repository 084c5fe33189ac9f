//! The table's stream, read as an event source mapping reads it.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_dynamodbstreams::{
    Client,
    types::{AttributeValue as Streamed, Record, ShardIteratorType},
};

use crate::state::dynamo::projection::Change;

/// How far each shard was read.
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

    /// The changes since the last call: one batch a call of `GetRecords`, shard after shard.
    pub(super) async fn drain(&mut self) -> Vec<Vec<Change>> {
        let mut batches = Vec::new();
        for shard in self.shards().await {
            if !self.iterators.contains_key(&shard) {
                let iterator = self.iterator(&shard).await;
                self.iterators.insert(shard.clone(), iterator);
            }
            let mut position = self.iterators[&shard].clone();
            while let Some(iterator) = position.clone() {
                let read = self.client.get_records().shard_iterator(iterator);
                let read = read.send().await.expect("a shard is read");
                position = read.next_shard_iterator;
                let records = read.records.unwrap_or_default();
                if records.is_empty() {
                    break;
                }
                batches.push(records.into_iter().map(change).collect());
            }
            self.iterators.insert(shard, position);
        }
        batches
    }

    async fn shards(&self) -> Vec<String> {
        let stream = self.client.describe_stream().stream_arn(&self.arn);
        let stream = stream.send().await.expect("the stream is described");
        let shards = stream.stream_description.and_then(|stream| stream.shards);
        let shards = shards.unwrap_or_default();
        shards
            .into_iter()
            .filter_map(|shard| shard.shard_id)
            .collect()
    }

    async fn iterator(&self, shard: &str) -> Option<String> {
        let iterator = self
            .client
            .get_shard_iterator()
            .stream_arn(&self.arn)
            .shard_id(shard)
            .shard_iterator_type(ShardIteratorType::TrimHorizon);
        let iterator = iterator.send().await;
        iterator.expect("a shard has a beginning").shard_iterator
    }
}

fn change(record: Record) -> Change {
    let change = record.dynamodb.expect("a record holds a change");
    let image = |image: Option<HashMap<String, Streamed>>| -> HashMap<String, AttributeValue> {
        let image = image.into_iter().flatten();
        image
            .map(|(name, value)| (name, attribute(value)))
            .collect()
    };
    Change::new(
        image(change.keys),
        image(change.old_image),
        image(change.new_image),
    )
}

fn attribute(value: Streamed) -> AttributeValue {
    match value {
        Streamed::S(text) => AttributeValue::S(text),
        Streamed::N(number) => AttributeValue::N(number),
        Streamed::B(bytes) => AttributeValue::B(bytes),
        Streamed::M(map) => AttributeValue::M(
            map.into_iter()
                .map(|(name, value)| (name, attribute(value)))
                .collect(),
        ),
        other => panic!("no row of ours holds {other:?}"),
    }
}
