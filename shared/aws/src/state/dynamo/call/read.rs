//! Reads of rows by key.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::types::{KeysAndAttributes, ReturnConsumedCapacity};
use futures::{StreamExt, TryStreamExt, stream};
use precip_engine::state::{ReadConsistency, StateResult};

use super::{
    super::{
        error::{incomplete_request, sdk_error},
        item::{Attributes, Item},
        keys::Key,
    },
    table::{REQUESTS_AT_ONCE, Table, is_strong, key_attributes},
};

/// The most items in one `BatchGetItem`.
const GET_AT_ONCE: usize = 100;

impl Table {
    /// Reads one row.
    pub(in super::super) async fn get_row(
        &self,
        key: &Key,
        consistency: ReadConsistency,
    ) -> StateResult<Option<Item>> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.name)
            .set_key(Some(key_attributes(key)))
            .consistent_read(is_strong(consistency))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|error| sdk_error(&self.name, "read a row", error))?;
        let used = answer.consumed_capacity.as_ref();
        self.meter
            .count_read(used.and_then(|used| used.capacity_units));
        Ok(answer.item)
    }

    /// Reads rows by key. Missing rows are left out.
    pub(in super::super) async fn get_many(
        &self,
        keys: impl IntoIterator<Item = Key>,
        consistency: ReadConsistency,
    ) -> StateResult<HashMap<Key, Item>> {
        // DynamoDB refuses a batch that names a row twice.
        let distinct: Vec<Key> = keys
            .into_iter()
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        let chunks: Vec<Vec<Item>> = distinct
            .chunks(GET_AT_ONCE)
            .map(|chunk| chunk.iter().map(key_attributes).collect())
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
        let mut backoff = self.backoff("read rows");
        loop {
            let wanted = KeysAndAttributes::builder()
                .set_keys(Some(keys))
                .consistent_read(is_strong(consistency))
                .build()
                .map_err(|error| incomplete_request(&self.name, error))?;
            let mut answer = self
                .client
                .batch_get_item()
                .request_items(&self.name, wanted)
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await
                .map_err(|error| sdk_error(&self.name, "read rows", error))?;
            let used = answer.consumed_capacity().iter();
            self.meter
                .count_read(Some(used.filter_map(|used| used.capacity_units).sum()));
            let rows = answer.responses.take().into_iter().flatten();
            found.extend(rows.flat_map(|(_, rows)| rows));
            let left = answer.unprocessed_keys.take().into_iter().flatten();
            // Keys beyond 16 MB of answer, and throttled ones, come back unprocessed.
            keys = left.flat_map(|(_, left)| left.keys).collect();
            if keys.is_empty() {
                return Ok(found);
            }
            backoff.wait().await?;
        }
    }
}
