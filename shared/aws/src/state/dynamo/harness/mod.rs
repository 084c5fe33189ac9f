//! A table of a test's own, on the emulator that `tests/emulator COMMAND` starts.

mod doubles;
mod stream;

use std::{env, sync::Arc};

use async_trait::async_trait;
use aws_config::BehaviorVersion;
use precip_engine::{
    run::{SystemClock, SystemRandomness, new_run_id},
    state::{StateStore, conformance::Harness},
};
use stream::Stream;
use tokio::sync::Mutex;

pub use doubles::{Awake, Noted, nothing};

use crate::{
    Aws,
    state::dynamo::{
        DynamoStore, TableDefinition,
        projection::{Change, Projector},
    },
};

/// A table with nothing in it, its store and its stream.
#[expect(missing_debug_implementations, reason = "it is for tests")]
pub struct Dynamo {
    /// The clients of the emulator.
    pub aws: Aws,
    /// The name of the table.
    pub table: String,
    /// The store under test.
    pub store: DynamoStore,
    stream: Mutex<Stream>,
}

/// The clients of the emulator.
///
/// # Panics
/// When there is none.
pub async fn aws() -> Aws {
    let endpoint = env::var("PRECIP_TEST_AWS_ENDPOINT")
        .expect("these tests run under `tests/emulator cargo nextest run`");
    let config = aws_config::defaults(BehaviorVersion::latest()).endpoint_url(endpoint);
    Aws::new(config.load().await)
}

impl Dynamo {
    /// Creates a table of a name that no other has.
    ///
    /// # Panics
    /// When the emulator does not do it.
    pub async fn new() -> Self {
        let aws = aws().await;
        let client = aws.dynamodb();
        let table = format!("precip-{}", new_run_id(&SystemClock, &SystemRandomness));
        TableDefinition::PRECIP
            .create(&client, &table)
            .await
            .expect("the table is created");
        let described = client.describe_table().table_name(&table).send().await;
        let described = described.ok().and_then(|described| described.table);
        let stream = described.and_then(|described| described.latest_stream_arn);
        let streams = aws_sdk_dynamodbstreams::Client::new(aws.config());
        let stream = Stream::new(streams, stream.expect("the table has a stream"));
        Self {
            store: DynamoStore::new(client, &table),
            aws,
            table,
            stream: Mutex::new(stream),
        }
    }

    /// What keeps the derived rows up to date.
    pub fn projector(&self) -> Projector {
        // Apart from the store, whose meter is to count the store's own calls.
        DynamoStore::new(self.aws.dynamodb(), &self.table).projector()
    }

    /// What the stream holds and nobody has read yet.
    ///
    /// # Panics
    /// When it cannot be read.
    pub async fn changes(&self) -> Vec<Vec<Change>> {
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
            let applied = projector.apply(&batch).await;
            applied.expect("the batch is projected");
        }
    }
}
