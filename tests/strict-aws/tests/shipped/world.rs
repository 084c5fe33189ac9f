//! An account with the project's table and bucket, and its store.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use aws_lambda_events::event::dynamodb::Event;
use chrono::{DateTime, Utc};
use precip_aws::{
    Aws,
    state::dynamo::{
        DynamoStore,
        projection::{Change, Projector},
    },
};
use precip_engine::state::{StateStore, conformance::Harness};
use precip_simulator::{
    bill::Bill,
    kernel::{Kernel, VirtualTime},
};
use precip_strict_aws::{Options, StreamReader, StrictAws};

pub(crate) const TABLE: &str = "precip";
pub(crate) const BUCKET: &str = "precip-data";

/// The moment at which every test begins.
const START: &str = "2026-12-01T00:00:00Z";

/// An account with the project's table and bucket, in virtual time.
pub(crate) struct World {
    pub(crate) kernel: Kernel,
    pub(crate) bill: Bill,
    pub(crate) aws: StrictAws,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        Self::with_options(Options {
            seed,
            ..Options::default()
        })
    }

    pub(crate) fn with_options(options: Options) -> Self {
        fastrand::seed(options.seed);
        let start: DateTime<Utc> = START.parse().expect("the start is a time");
        let (kernel, bill) = (Kernel::new(start), Bill::default());
        let aws = StrictAws::new(kernel.time(), bill.clone(), options);
        aws.create_table(TABLE);
        aws.create_bucket(BUCKET);
        Self { kernel, bill, aws }
    }

    pub(crate) fn harness(&self) -> StrictHarness {
        StrictHarness {
            aws: self.aws.clone(),
            time: self.kernel.time(),
            store: open_store(&self.aws, &self.kernel.time()),
            stream: Mutex::new(self.aws.open_stream(TABLE)),
        }
    }
}

/// Opens the table as a process does.
pub(crate) fn open_store(aws: &StrictAws, time: &VirtualTime) -> DynamoStore {
    let time = Arc::new(time.clone());
    DynamoStore::new(Aws::new(aws.sdk_config()).dynamodb(), TABLE)
        .with_clock(time.clone())
        .with_sleeper(time)
}

/// Reads the changes of an event, as the reactor does.
pub(crate) fn changes_of(event: serde_json::Value) -> Vec<Change> {
    let event: Event = serde_json::from_value(event).expect("the event is Lambda's");
    let records = event.records.into_iter();
    let change = records.map(|record| {
        let change = record.change;
        Change::new(
            change.keys.into_inner(),
            change.old_image.into_inner(),
            change.new_image.into_inner(),
        )
    });
    change.collect()
}

/// The store under test, and its projection.
pub(crate) struct StrictHarness {
    aws: StrictAws,
    time: VirtualTime,
    pub(crate) store: DynamoStore,
    stream: Mutex<StreamReader>,
}

impl StrictHarness {
    pub(crate) fn projector(&self) -> Projector {
        open_store(&self.aws, &self.time).projector()
    }

    /// Reads the unread changes of the stream, in batches of up to 100.
    pub(crate) fn read_changes(&self) -> Vec<Vec<Change>> {
        let mut stream = self.stream.lock().expect("no reader panics");
        let events = stream.read_events(4, 100).concat();
        events.into_iter().map(changes_of).collect()
    }
}

#[async_trait]
impl Harness for StrictHarness {
    fn store(&self) -> Arc<dyn StateStore> {
        Arc::new(self.store.clone())
    }

    async fn open_peer(&self) -> Arc<dyn StateStore> {
        Arc::new(open_store(&self.aws, &self.time))
    }

    async fn await_projections(&self) {
        let projector = self.projector();
        for batch in self.read_changes() {
            let applied = projector.apply_changes(&batch).await;
            applied.expect("the batch is projected");
        }
    }
}
