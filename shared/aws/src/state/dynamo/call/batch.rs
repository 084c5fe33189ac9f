//! Batches of unconditional writes.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{DeleteRequest, PutRequest, ReturnConsumedCapacity, WriteRequest};
use futures::{StreamExt, TryStreamExt, stream};
use precip_engine::state::StateResult;

use super::{
    super::{
        error::{incomplete_request, sdk_error},
        item::{Attributes, Item},
        keys::Key,
    },
    table::{REQUESTS_AT_ONCE, Table, key_attributes},
};

/// The most items in one `BatchWriteItem`.
const WRITE_AT_ONCE: usize = 25;

impl Table {
    /// Puts and deletes rows, each on its own and without conditions. Of two writes of one row the last
    /// counts.
    pub(in super::super) async fn write_all(
        &self,
        puts: Vec<Item>,
        deletes: Vec<Key>,
    ) -> StateResult<()> {
        let mut by_key: HashMap<Key, WriteRequest> = HashMap::new();
        // DynamoDB refuses a batch that names a row twice.
        for row in puts {
            let key = row.key();
            let put = PutRequest::builder()
                .set_item(Some(row))
                .build()
                .map_err(|error| incomplete_request(&self.name, error))?;
            by_key.insert(key, WriteRequest::builder().put_request(put).build());
        }
        for key in deletes {
            let delete = DeleteRequest::builder()
                .set_key(Some(key_attributes(&key)))
                .build()
                .map_err(|error| incomplete_request(&self.name, error))?;
            by_key.insert(key, WriteRequest::builder().delete_request(delete).build());
        }
        let requests: Vec<WriteRequest> = by_key.into_values().collect();
        let chunks: Vec<Vec<WriteRequest>> =
            requests.chunks(WRITE_AT_ONCE).map(<[_]>::to_vec).collect();
        // The writes are independent, so the order of the chunks does not matter.
        stream::iter(chunks)
            .map(|chunk| self.write_chunk(chunk))
            .buffer_unordered(REQUESTS_AT_ONCE)
            .try_collect()
            .await
    }

    async fn write_chunk(&self, mut requests: Vec<WriteRequest>) -> StateResult<()> {
        let mut backoff = self.backoff("write rows");
        loop {
            let mut answer = self
                .client
                .batch_write_item()
                .request_items(&self.name, requests)
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await
                .map_err(|error| sdk_error(&self.name, "write rows", error))?;
            let used = answer.consumed_capacity().iter();
            self.meter
                .count_write(Some(used.filter_map(|used| used.capacity_units).sum()));
            let left = answer.unprocessed_items.take().into_iter().flatten();
            // Throttled items come back unprocessed, in an answer that counts as a success.
            requests = left.flat_map(|(_, left)| left).collect();
            if requests.is_empty() {
                return Ok(());
            }
            backoff.wait().await?;
        }
    }
}
