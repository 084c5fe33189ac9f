//! Many writes without conditions.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{DeleteRequest, PutRequest, ReturnConsumedCapacity, WriteRequest};
use futures::{StreamExt, TryStreamExt, stream};
use precip_engine::state::StateResult;

use super::{
    super::{
        error::{of_sdk, request},
        item::{Attributes, Item},
        keys::Key,
    },
    patience::Patience,
    table::{REQUESTS_AT_ONCE, Table, attributes},
};

/// The most items of one `BatchWriteItem`.
const WRITE_AT_ONCE: usize = 25;

impl Table {
    /// Puts and deletes rows, each by itself and without conditions. A row named twice is written as
    /// it was named last.
    pub(in super::super) async fn write_all(
        &self,
        puts: Vec<Item>,
        deletes: Vec<Key>,
    ) -> StateResult<()> {
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
