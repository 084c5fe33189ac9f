//! A table per test, on the emulator that `tests/with/emulator COMMAND` starts.

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

pub use doubles::{IdleLauncher, RealTimeSleeper, empty_op};

use crate::{
    Aws,
    state::dynamo::{
        DynamoStore, TableDefinition,
        projection::{Change, Projector},
    },
};

/// A table that was created empty, with its store and its stream.
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

/// Returns the clients of the emulator.
///
/// # Panics
/// When no emulator is running.
pub async fn emulator_aws() -> Aws {
    let endpoint = env::var("PRECIP_TEST_AWS_ENDPOINT")
        .expect("these tests run under `tests/with/emulator cargo nextest run`");
    let config = aws_config::defaults(BehaviorVersion::latest()).endpoint_url(endpoint);
    Aws::new(config.load().await)
}

impl Dynamo {
    /// Creates a table with a unique name.
    ///
    /// # Panics
    /// When the emulator refuses.
    pub async fn new() -> Self {
        let aws = emulator_aws().await;
        let client = aws.dynamodb();
        let table = format!("precip-{}", new_run_id(&SystemClock, &SystemRandomness));
        TableDefinition::PRECIP
            .create_table(&client, &table)
            .await
            .expect("the table is created");
        let described = client.describe_table().table_name(&table).send().await;
        let stream_arn = described
            .ok()
            .and_then(|answer| answer.table)
            .and_then(|table| table.latest_stream_arn)
            .expect("the table has a stream");
        let streams = aws_sdk_dynamodbstreams::Client::new(aws.config());
        Self {
            store: DynamoStore::new(client, &table),
            aws,
            table,
            stream: Mutex::new(Stream::new(streams, stream_arn)),
        }
    }

    /// Returns a projector of the table's stream.
    pub fn projector(&self) -> Projector {
        // It has a store of its own: the meter of `self.store` counts only the calls of tests.
        DynamoStore::new(self.aws.dynamodb(), &self.table).projector()
    }

    /// Reads the unread changes of the stream, in batches.
    ///
    /// # Panics
    /// When the stream cannot be read.
    pub async fn read_changes(&self) -> Vec<Vec<Change>> {
        self.stream.lock().await.drain_batches().await
    }
}

#[async_trait]
impl Harness for Dynamo {
    fn store(&self) -> Arc<dyn StateStore> {
        Arc::new(self.store.clone())
    }

    async fn open_peer(&self) -> Arc<dyn StateStore> {
        // A client with connections of its own, as a second function has.
        let store = DynamoStore::new(emulator_aws().await.dynamodb(), &self.table);
        Arc::new(store)
    }

    async fn await_projections(&self) {
        let projector = self.projector();
        for batch in self.read_changes().await {
            let applied = projector.apply_changes(&batch).await;
            applied.expect("the batch is projected");
        }
    }
}
