//! [`StrictAws`].

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use chrono::{DateTime, Utc};
use precip_engine::run::Clock;
use precip_simulator::{bill::Bill, dynamo, kernel::VirtualTime};
use serde_json::{Value as Json, json};

use crate::{
    call::{Call, Mistake, Phase, Reaction},
    dynamo::{Dynamo, Table},
    faults::{Fault, FaultCounts, Faults},
    http::StrictHttp,
    s3::S3,
    time::SdkTime,
};

/// The region that stream records name.
pub(crate) const REGION: &str = "us-east-1";

/// The settings of a [`StrictAws`].
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// The seed of all faults and times.
    pub seed: u64,
    /// What goes wrong.
    pub faults: Faults,
    /// The throughput of each table.
    pub table_limits: dynamo::Limits,
    /// The shortest and the longest time of a call.
    pub latency: (Duration, Duration),
    /// The time for which a transaction keeps other writes from its items.
    pub transaction_time: Duration,
}

impl Default for Options {
    /// No faults, and calls of 2 to 10 ms.
    fn default() -> Self {
        Self {
            seed: 0,
            faults: Faults::default(),
            table_limits: dynamo::Limits::default(),
            latency: (Duration::from_millis(2), Duration::from_millis(10)),
            transaction_time: Duration::from_millis(5),
        }
    }
}

type Hook = Arc<dyn Fn(&Call, Phase) -> Reaction + Send + Sync>;

/// An account of AWS with DynamoDB and S3. Clones share it.
#[derive(Clone)]
pub struct StrictAws(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) time: VirtualTime,
    pub(crate) bill: Bill,
    pub(crate) options: Options,
    /// The region of the clients: see [`StrictAws::sdk_config`].
    region: String,
    pub(crate) state: Mutex<State>,
}

pub(crate) struct State {
    pub(crate) dynamo: Dynamo,
    pub(crate) s3: S3,
    pub(crate) rng: fastrand::Rng,
    pub(crate) faults: Faults,
    pub(crate) hook: Option<Hook>,
    pub(crate) calls: BTreeMap<String, u64>,
    pub(crate) count: u64,
    pub(crate) mistakes: Vec<Mistake>,
    pub(crate) fault_counts: FaultCounts,
}

impl fmt::Debug for StrictAws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StrictAws")
            .field("options", &self.0.options)
            .finish_non_exhaustive()
    }
}

impl StrictAws {
    /// Creates an account without tables and buckets, in this time, that adds to this bill.
    pub fn new(time: VirtualTime, bill: Bill, options: Options) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let state = State {
            dynamo: Dynamo::default(),
            s3: S3::default(),
            rng: fastrand::Rng::with_seed(options.seed),
            faults: options.faults,
            hook: None,
            calls: BTreeMap::new(),
            count: 0,
            mistakes: Vec::new(),
            fault_counts: FaultCounts::new(),
        };
        Self(Arc::new(Inner {
            time,
            bill,
            options,
            region: format!("strict-{number}"),
            state: Mutex::new(state),
        }))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Creates an on-demand table with the keys `pk` and `sk`, both texts, the expiry `ttl`, and a stream
    /// of old and new images.
    pub fn create_table(&self, name: &str) {
        let limits = self.0.options.table_limits.clone();
        let throughput = dynamo::Table::new(self.0.time.clone(), self.0.bill.clone(), limits);
        let table = Table::new(throughput);
        self.lock().dynamo.tables.insert(name.to_owned(), table);
    }

    /// Creates a bucket.
    pub fn create_bucket(&self, name: &str) {
        self.lock().s3.create_bucket(name);
    }

    /// Returns the configuration of clients that call this account, for `precip_aws::Aws::new`.
    ///
    /// The clients sleep and read the clock in virtual time. The SDK keeps one budget of retries for each
    /// region in a process; each account is therefore in a region of its own, so that the retries of a
    /// simulation do not depend on those before it.
    pub fn sdk_config(&self) -> SdkConfig {
        let time = SdkTime(self.0.time.clone());
        let credentials = Credentials::new("strict", "strict", None, None, "strict");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(self.0.region.clone()))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(StrictHttp(self.clone()))
            .time_source(time.clone())
            .sleep_impl(time)
            .retry_config(RetryConfig::standard())
            .build()
    }

    /// Changes what goes wrong from now on.
    pub fn set_faults(&self, faults: Faults) {
        self.lock().faults = faults;
    }

    /// Asks this function before each call and after it. The function must not call the account.
    pub fn set_hook(&self, hook: impl Fn(&Call, Phase) -> Reaction + Send + Sync + 'static) {
        self.lock().hook = Some(Arc::new(hook));
    }

    /// Returns the number of calls of each operation, those of the SDK's retries included.
    pub fn calls(&self) -> BTreeMap<String, u64> {
        self.lock().calls.clone()
    }

    /// Returns the calls that were refused because the request was wrong, whatever was stored. A test
    /// expects none, unless it makes one on purpose.
    pub fn mistakes(&self) -> Vec<Mistake> {
        self.lock().mistakes.clone()
    }

    /// Returns the number of faults of each kind that have happened.
    pub fn fault_counts(&self) -> BTreeMap<Fault, u64> {
        self.lock().fault_counts.clone()
    }

    /// Returns the number of throttled requests to a table.
    ///
    /// # Panics
    /// When there is no such table.
    pub fn throttled(&self, table: &str) -> u64 {
        self.lock().dynamo.tables[table].throughput.throttled()
    }

    /// Deletes the items of a table whose expiry has passed, and returns their number. AWS does so
    /// within a few days, at no charge.
    ///
    /// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html>
    ///
    /// # Panics
    /// When there is no such table.
    pub fn expire_items(&self, table: &str) -> usize {
        let (now, seconds) = (self.0.time.elapsed(), self.0.time.now().timestamp());
        let mut state = self.lock();
        let table = state.dynamo.tables.get_mut(table);
        table.expect("the table was created").expire(now, seconds)
    }

    /// Returns the items of a table in DynamoDB's JSON, in the order of their keys.
    ///
    /// # Panics
    /// When there is no such table.
    pub fn items(&self, table: &str) -> Vec<Json> {
        let state = self.lock();
        let items = state.dynamo.tables[table].items();
        items.map(crate::dynamo::item_to_json).collect()
    }

    /// Returns the keys of a bucket's objects.
    pub fn object_keys(&self, bucket: &str) -> Vec<String> {
        self.lock().s3.keys(bucket)
    }

    /// Opens a reader of a table's stream at its beginning.
    pub fn open_stream(&self, table: &str) -> StreamReader {
        StreamReader {
            aws: self.clone(),
            table: table.to_owned(),
            position: 0,
        }
    }
}

/// A reader of a table's stream, with its position.
#[derive(Debug, Clone)]
pub struct StreamReader {
    aws: StrictAws,
    table: String,
    position: usize,
}

impl StreamReader {
    /// Reads the changes since the last call as Lambda's events, one list of batches for each of so many
    /// shards. Each batch holds up to so many records. The records of a key are in one shard, in order;
    /// shards have no order.
    ///
    /// <https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html>
    ///
    /// # Panics
    /// When the table was not created.
    pub fn read_events(&mut self, shards: u64, batch: usize) -> Vec<Vec<Json>> {
        let start = self.aws.start();
        let state = self.aws.lock();
        let records = state.dynamo.tables[&self.table].stream_from(self.position);
        self.position += records.len();
        let of_shard = |shard| {
            let records = records
                .iter()
                .filter(|record| record.shard(shards) == shard);
            let records: Vec<Json> = records.map(|record| record.to_json(start)).collect();
            let batches = records.chunks(batch.max(1));
            batches.map(|batch| json!({"Records": batch})).collect()
        };
        (0..shards.max(1)).map(of_shard).collect()
    }
}

impl StrictAws {
    fn start(&self) -> DateTime<Utc> {
        let elapsed = chrono::TimeDelta::from_std(self.0.time.elapsed());
        self.0.time.now() - elapsed.unwrap_or_default()
    }
}
