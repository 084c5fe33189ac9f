//! A table of a test's own.

use std::{env, sync::Arc};

use async_trait::async_trait;
use aws_config::BehaviorVersion;
use precip_engine::{
    run::{SystemClock, SystemRandomness, new_run_id},
    state::{StateStore, conformance::Harness},
};
use tokio::sync::Mutex;

use super::stream::Stream;
use crate::{
    Aws,
    state::dynamo::{DynamoStore, TableDefinition, projection::Projector},
};

pub(super) struct Dynamo {
    pub(super) aws: Aws,
    pub(super) table: String,
    pub(super) store: DynamoStore,
    stream: Mutex<Stream>,
}

/// The configuration of clients of the emulator.
pub(super) async fn aws() -> Aws {
    let endpoint = env::var("PRECIP_TEST_AWS_ENDPOINT")
        .expect("these tests run under `tests/emulator cargo nextest run -p precip-aws`");
    let config = aws_config::defaults(BehaviorVersion::latest()).endpoint_url(endpoint);
    Aws::new(config.load().await)
}

impl Dynamo {
    pub(super) async fn new() -> Self {
        let aws = aws().await;
        let client = aws.dynamodb();
        let table = format!("precip-{}", new_run_id(&SystemClock, &SystemRandomness));
        TableDefinition::PRECIP
            .create(&client, &table)
            .await
            .unwrap();
        let described = client.describe_table().table_name(&table).send().await;
        let described = described.unwrap().table.unwrap();
        let streams = aws_sdk_dynamodbstreams::Client::new(aws.config());
        let stream = Stream::new(streams, described.latest_stream_arn.unwrap());
        Self {
            store: DynamoStore::new(client, &table),
            aws,
            table,
            stream: Mutex::new(stream),
        }
    }

    pub(super) fn projector(&self) -> Projector {
        // Apart from the store, whose meter is to count the store's own calls.
        DynamoStore::new(self.aws.dynamodb(), &self.table).projector()
    }

    /// What the stream holds and nobody has read yet.
    pub(super) async fn changes(&self) -> Vec<Vec<crate::state::dynamo::projection::Change>> {
        self.stream.lock().await.drain().await
    }
}

#[async_trait]
impl Harness for Dynamo {
    fn store(&self) -> Arc<dyn StateStore> {
        Arc::new(self.store.clone())
    }

    async fn peer(&self) -> Arc<dyn StateStore> {
        // A client with connections of its own, as a second function has it.
        let store = DynamoStore::new(aws().await.dynamodb(), &self.table);
        Arc::new(store)
    }

    async fn settle(&self) {
        let projector = self.projector();
        for batch in self.changes().await {
            projector.apply(&batch).await.unwrap();
        }
    }
}
