//! The modelled reactor, and the table's stream that calls it.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet, VecDeque},
    rc::{Rc, Weak},
    time::Duration,
};

use async_trait::async_trait;
use precip_core::cost::to_f64;
use serde_json::{Value, json};

use super::{
    assumptions::{REACTOR_BATCH, REACTOR_TIME, SEGMENT, SHARDS},
    shared::{Shared, row_key},
};
use crate::{
    bill::Unit,
    dynamo::Access,
    kernel::Tasks,
    lambda::{Handler, Invocation, Lambda},
    task::TaskError,
};

/// The name of the reactor among the functions.
pub(super) const REACTOR: &str = "Reactor";

/// The interval at which Lambda polls a shard.
///
/// <https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html>
const POLL: Duration = Duration::from_millis(250);

/// A change of the record.
#[derive(Debug, Clone, Copy)]
struct Record {
    asset: u64,
    ordinal: u64,
    replaced: bool,
    /// Number of results of checks; 0 for a publication.
    checks: usize,
}

/// The table's stream. Each shard calls the reactor with one batch at a time.
pub(super) struct Reactor {
    window: Duration,
    tasks: Tasks,
    shards: RefCell<Vec<Shard>>,
    /// The batches that are being handled, by number.
    batches: RefCell<BTreeMap<u64, Vec<Record>>>,
    next: Cell<u64>,
    link: RefCell<Option<(Weak<Shared>, Lambda)>>,
}

#[derive(Default)]
struct Shard {
    records: VecDeque<Record>,
    polls: bool,
}

impl Reactor {
    pub(super) fn new(window: Duration, tasks: Tasks) -> Self {
        let shards = (0..SHARDS).map(|_| Shard::default());
        Self {
            window,
            tasks,
            shards: RefCell::new(shards.collect()),
            batches: RefCell::default(),
            next: Cell::default(),
            link: RefCell::default(),
        }
    }

    /// Connects the stream with the function.
    pub(super) fn connect(&self, shared: &Rc<Shared>, lambda: &Lambda) {
        *self.link.borrow_mut() = Some((Rc::downgrade(shared), lambda.clone()));
    }

    pub(super) fn publish(&self, asset: u64, ordinal: u64, replaced: bool) {
        self.put(Record {
            asset,
            ordinal,
            replaced,
            checks: 0,
        });
    }

    pub(super) fn check(&self, asset: u64, ordinal: u64, checks: usize) {
        self.put(Record {
            asset,
            ordinal,
            replaced: false,
            checks,
        });
    }

    /// Returns whether every change was handled.
    pub(super) fn is_idle(&self) -> bool {
        self.shards.borrow().iter().all(|shard| !shard.polls)
    }

    fn put(&self, record: Record) {
        let number = row_key(record.asset, record.ordinal) % SHARDS;
        let number = usize::try_from(number).unwrap_or_default();
        let mut shards = self.shards.borrow_mut();
        let shard = &mut shards[number];
        shard.records.push_back(record);
        if std::mem::replace(&mut shard.polls, true) {
            return;
        }
        if let Some((shared, lambda)) = self.link.borrow().clone()
            && let Some(shared) = shared.upgrade()
        {
            self.tasks
                .start(async move { poll_shard(&shared, &lambda, number).await });
        }
    }
}

/// Calls the reactor with batches of a shard until it is empty.
async fn poll_shard(shared: &Rc<Shared>, lambda: &Lambda, number: usize) {
    let reactor = &shared.reactor;
    loop {
        let began = shared.time.elapsed();
        loop {
            shared.time.sleep(POLL).await;
            let full = reactor.shards.borrow()[number].records.len() >= REACTOR_BATCH;
            if full || shared.time.elapsed() >= began + reactor.window {
                break;
            }
        }
        // Several batches may be due at once; they follow each other.
        loop {
            let batch: Vec<Record> = {
                let shard = &mut reactor.shards.borrow_mut()[number];
                let count = shard.records.len().min(REACTOR_BATCH);
                shard.records.drain(..count).collect()
            };
            let id = reactor.next.replace(reactor.next.get() + 1);
            reactor.batches.borrow_mut().insert(id, batch);
            let mut wait = Duration::from_secs(1);
            while lambda.invoke(REACTOR, json!(id), 0).await.is_err() {
                // A throttled or failed batch is delivered again.
                shared.time.sleep(wait).await;
                wait = (wait * 2).min(Duration::from_secs(60));
            }
            reactor.batches.borrow_mut().remove(&id);
            let left = reactor.shards.borrow()[number].records.len();
            if left < REACTOR_BATCH {
                break;
            }
        }
        let shard = &mut reactor.shards.borrow_mut()[number];
        if shard.records.is_empty() {
            shard.polls = false;
            return;
        }
    }
}

/// The function that projects changes.
pub(super) struct Projection(pub(super) Rc<Shared>);

#[async_trait(?Send)]
impl Handler for Projection {
    async fn handle(&self, payload: Value, _: &Invocation) -> Result<Value, TaskError> {
        let shared = &self.0;
        let id = payload.as_u64().unwrap_or_default();
        let batch = shared.reactor.batches.borrow().get(&id).cloned();
        let batch = batch.unwrap_or_default();
        shared.time.sleep(REACTOR_TIME).await;
        let mut by_asset: BTreeMap<u64, (u64, BTreeSet<u64>)> = BTreeMap::new();
        let mut writes = 0.0;
        for record in &batch {
            if record.checks > 0 {
                // The mark of a check that no longer fails is deleted, whether there is one or not.
                writes += to_f64(record.checks as u64);
                continue;
            }
            // The record that was replaced is kept in the event log.
            writes += f64::from(u8::from(record.replaced));
            let (count, segments) = by_asset.entry(record.asset).or_default();
            *count += 1;
            segments.insert(record.ordinal / SEGMENT);
        }
        let mut published = 0;
        for (count, segments) in by_asset.values() {
            published += count;
            // A bitmap of the asset and one of the run for each segment, read and written.
            let bitmaps = to_f64(2 * segments.len() as u64);
            // The log: its row in a transaction with its head, after a read of the latest rows.
            let log = 2.0 * ((100.0 + 10.0 * to_f64(*count)) / 1_024.0).ceil() + 2.0;
            writes += bitmaps + log;
            shared.bill.add(Unit::DynamoDbRead, bitmaps + 7.0);
        }
        // Spread over the rows of segments and assets.
        let key = u64::MAX / 2 + id % 64;
        if writes > 0.0 {
            shared.call_table(key, Access::Write, writes).await?;
        }
        let unseen = shared.unseen.get();
        shared.unseen.set(unseen.saturating_sub(published));
        Ok(Value::Null)
    }
}
