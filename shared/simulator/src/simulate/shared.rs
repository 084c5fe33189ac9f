//! The plan, the table and the bucket that the modelled functions share.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, HashMap},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use precip_core::{
    graph::AssetGraph, key::AssetKey, machine::Layout, partitions::PartitionSet, plan::StepId,
};
use precip_engine::{machine::PLATFORM_ERROR, run::PlannedRun};

use super::{assumptions::BUCKETS, input::OpTime, reactor::Reactor};
use crate::{
    bill::{Bill, Unit},
    dynamo::{Access, Table},
    kernel::VirtualTime,
    saturation::{Held, Saturation},
    task::{Objects, TaskError},
    timeline::Timeline,
};

pub(super) struct Shared {
    pub(super) time: VirtualTime,
    pub(super) bill: Bill,
    pub(super) table: Table,
    pub(super) rng: RefCell<fastrand::Rng>,
    pub(super) graph: Arc<AssetGraph>,
    pub(super) planned: PlannedRun,
    pub(super) layout: Layout,
    /// The parameters `MaxConcurrency` and `MaterializerConcurrency`.
    pub(super) most_functions: (u32, Option<u32>),
    /// Number of functions that the run may invoke at once.
    pub(super) functions: Cell<u32>,
    /// The steps of the layout, by name.
    pub(super) steps: HashMap<String, Rc<StepModel>>,
    pub(super) pools: BTreeMap<String, RefCell<Pool>>,
    pub(super) files: RefCell<BTreeMap<String, Vec<u8>>>,
    /// The partitions that failed for good, by step of the plan.
    pub(super) failed: RefCell<BTreeMap<StepId, PartitionSet>>,
    /// Number of published (asset, partition) pairs.
    pub(super) made: Cell<u64>,
    /// Number of published pairs that the reactor has not seen yet.
    pub(super) unseen: Cell<u64>,
    pub(super) reactor: Reactor,
}

/// A step of the layout.
pub(super) struct StepModel {
    /// The position among all steps.
    pub(super) number: u64,
    pub(super) op: String,
    pub(super) assets: Vec<AssetKey>,
    pub(super) recorded: Vec<PartitionSet>,
    pub(super) checks: usize,
    pub(super) time: OpTime,
    pub(super) upstream: f64,
    pub(super) pool: Option<String>,
    pub(super) running: RefCell<Running>,
}

/// The invocations of a step.
#[derive(Debug, Clone, Default)]
pub(super) struct Running {
    pub(super) now: u32,
    pub(super) count: u64,
    pub(super) began: Option<Duration>,
    pub(super) ended: Duration,
    pub(super) timeline: Timeline,
}

/// The slots of a pool.
#[derive(Default)]
pub(super) struct Pool {
    pub(super) limit: u32,
    pub(super) taken: u32,
    pub(super) full: Saturation,
    held: Option<Held>,
}

impl Pool {
    pub(super) fn new(limit: u32) -> RefCell<Self> {
        RefCell::new(Self {
            limit,
            ..Self::default()
        })
    }

    pub(super) fn take(&mut self, time: &VirtualTime) -> bool {
        if self.taken >= self.limit {
            return false;
        }
        self.taken += 1;
        if self.taken == self.limit {
            self.held = Some(self.full.begin(time));
        }
        true
    }

    pub(super) fn release(&mut self) {
        self.taken -= 1;
        self.held = None;
    }
}

/// Attempts of a call that the SDK makes by itself, and that the engine makes around it.
///
/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html>
const SDK_ATTEMPTS: u32 = 3;
const ENGINE_ATTEMPTS: u32 = 6;
const ENGINE_WAIT: Duration = Duration::from_millis(50);

impl Shared {
    /// Returns the number of slots of each pool.
    pub(super) fn pool_limits(&self) -> BTreeMap<String, u32> {
        let pools = self.pools.iter();
        pools
            .map(|(name, pool)| (name.clone(), pool.borrow().limit))
            .collect()
    }

    /// Calls the table, and retries throttled calls as the functions do.
    ///
    /// # Errors
    /// The function's error when every attempt was throttled.
    pub(super) async fn call_table(
        &self,
        key: u64,
        access: Access,
        units: f64,
    ) -> Result<(), TaskError> {
        let mut wait = ENGINE_WAIT;
        for attempt in 1..=ENGINE_ATTEMPTS {
            for sdk_attempt in 1..=SDK_ATTEMPTS {
                if self.table.consume(key, access, units).is_ok() {
                    return Ok(());
                }
                if sdk_attempt < SDK_ATTEMPTS {
                    let longest = f64::from(1_u32 << (sdk_attempt - 1));
                    let unit = self.rng.borrow_mut().f64();
                    self.time
                        .sleep(Duration::from_secs_f64(longest * unit))
                        .await;
                }
            }
            if attempt < ENGINE_ATTEMPTS {
                let spread = 0.5 + self.rng.borrow_mut().f64();
                self.time.sleep(wait.mul_f64(spread)).await;
                wait *= 2;
            }
        }
        Err(TaskError::new(
            PLATFORM_ERROR,
            "the table is throttled: Throughput exceeds the current capacity of your table",
        ))
    }

    /// Writes an object, of which EventBridge receives an event.
    pub(super) fn count_put(&self) {
        self.bill.add_one(Unit::S3Put);
        self.bill.add_one(Unit::EventBridgeEvent);
    }
}

/// Returns the key of a partition's row: one of the buckets of its asset.
pub(super) fn row_key(asset: u64, ordinal: u64) -> u64 {
    let mixed = ordinal.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    asset * BUCKETS + mixed % BUCKETS
}

/// The key of rows that only the planner writes.
pub(super) const RUN_KEY: u64 = u64::MAX;

/// The bucket, as the machines see it.
pub(super) struct Bucket(pub(super) Rc<Shared>);

#[async_trait(?Send)]
impl Objects for Bucket {
    async fn read_object(&self, _: &str, key: &str) -> Result<Vec<u8>, TaskError> {
        self.0.bill.add_one(Unit::S3Get);
        // A map reads its manifest once, so it need not be kept.
        let found = self.0.files.borrow_mut().remove(key);
        found.ok_or_else(|| TaskError::new("S3.NoSuchKeyException", key))
    }

    async fn write_object(&self, _: &str, _: &str, _: Vec<u8>) -> Result<(), TaskError> {
        self.0.count_put();
        Ok(())
    }
}
