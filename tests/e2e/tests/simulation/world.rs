//! A run with a store and data of its own, and the processes that work on it one after the other.

use std::{
    future::Future,
    path::PathBuf,
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    task::Poll,
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use precip_core::plan::CheckSelection;
use precip_engine::{
    definitions::Definitions,
    run::{
        Clock, CreateRun, InlineOpRunner, PlannedRun, Randomness, RunPorts, RunSession, Sleeper,
        create_run, new_run_id, plan_run,
    },
    run_id::RunId,
    state::{OwnerId, RequestedWork, StateStore, memory::MemoryStore},
};
use precip_local::{
    executor::{ExecuteError, Executor, RunReport, Stop},
    state::SqliteStore,
};

use crate::{
    disk::Disk,
    project::{SharedTrouble, simulated_definitions},
};

/// A clock that advances by a millisecond whenever it is read.
#[derive(Debug, Clone, Default)]
pub(crate) struct SteppingClock(Arc<AtomicI64>);

impl SteppingClock {
    /// Advances the clock.
    pub(crate) fn advance(&self, time: Duration) {
        let passed = i64::try_from(time.as_millis()).unwrap();
        self.0.fetch_add(passed, Ordering::SeqCst);
    }
}

impl Clock for SteppingClock {
    fn now(&self) -> DateTime<Utc> {
        let start = DateTime::UNIX_EPOCH + chrono::TimeDelta::days(10_000);
        start + chrono::TimeDelta::milliseconds(self.0.fetch_add(1, Ordering::SeqCst))
    }
}

/// A sleeper that returns at once and records how long it was asked to sleep. Sleeps of a minute or
/// more are deadlines, which do not elapse.
#[derive(Debug, Clone, Default)]
pub(crate) struct InstantSleeper {
    /// The requested sleeps, in order.
    pub(crate) sleeps: Arc<Mutex<Vec<Duration>>>,
    /// The deadline that elapses nevertheless.
    pub(crate) elapsing: Option<Duration>,
}

#[async_trait]
impl Sleeper for InstantSleeper {
    async fn sleep(&self, duration: Duration) {
        if duration >= Duration::from_secs(60) && self.elapsing != Some(duration) {
            std::future::pending().await
        }
        self.sleeps.lock().unwrap().push(duration);
        tokio::task::yield_now().await;
    }
}

/// A generator of random bits from a seed.
#[derive(Debug, Clone)]
pub(crate) struct SeededRandomness(Arc<Mutex<fastrand::Rng>>);

impl SeededRandomness {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(fastrand::Rng::with_seed(seed))))
    }
}

impl Randomness for SeededRandomness {
    fn random_bits(&self) -> u128 {
        self.0.lock().unwrap().u128(..)
    }
}

/// The location of the store.
pub(crate) enum StoreLocation {
    Memory(MemoryStore),
    File(PathBuf),
}

impl StoreLocation {
    /// Opens the store as a new process does.
    pub(crate) fn open_store(&self) -> Arc<dyn StateStore> {
        match self {
            Self::Memory(store) => Arc::new(store.clone()),
            Self::File(path) => Arc::new(SqliteStore::open(path).unwrap()),
        }
    }
}

/// A planned and recorded run.
pub(crate) struct World {
    pub(crate) location: StoreLocation,
    pub(crate) data: Arc<Disk>,
    pub(crate) trouble: SharedTrouble,
    pub(crate) definitions: Arc<Definitions>,
    pub(crate) clock: SteppingClock,
    pub(crate) sleeper: InstantSleeper,
    pub(crate) planned: PlannedRun,
    pub(crate) run: RunId,
    chance: SeededRandomness,
    processes: u32,
}

/// Runs a future to its end on a runtime of its own: the tasks of a process end with it.
pub(crate) fn block_on_one_thread<T>(work: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().unwrap().block_on(work)
}

/// Polls a future so many times, then drops it: `None` if it had not ended.
///
/// This is how a process is killed: a future that is dropped between two polls stops where a killed
/// process stops, before or after any of its calls.
pub(crate) async fn poll_at_most<T>(polls: u32, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    let mut left = polls;
    std::future::poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        work.as_mut().poll(context).map(Some)
    })
    .await
}

impl World {
    /// Plans a selection and records the run.
    pub(crate) fn new(
        seed: u64,
        location: StoreLocation,
        selection: &str,
        sleeper: InstantSleeper,
    ) -> Self {
        let trouble = SharedTrouble::new(seed);
        let data = Arc::new(Disk::default());
        let definitions = Arc::new(simulated_definitions(&trouble, data.clone()));
        let clock = SteppingClock::default();
        let chance = SeededRandomness::new(seed);
        let run = new_run_id(&clock, &chance);
        let request = RequestedWork {
            selection: selection.to_owned(),
            partitions: selection.contains("source").then(|| "all".to_owned()),
            ..RequestedWork::default()
        };
        let planned = block_on_one_thread(async {
            let state = location.open_store();
            let checks = CheckSelection::All;
            plan_run(&definitions, &state, clock.now(), &request, checks)
                .await
                .unwrap()
        });
        let world = Self {
            location,
            data,
            trouble,
            definitions,
            clock,
            sleeper,
            planned,
            run,
            chance,
            processes: 0,
        };
        block_on_one_thread(async {
            let plan = &world.planned.plan;
            let new = CreateRun {
                id: run,
                key: None,
                request,
                plan,
                pointer: None,
            };
            create_run(&world.run_ports(world.location.open_store()), new)
                .await
                .unwrap();
        });
        world
    }

    fn run_ports(&self, state: Arc<dyn StateStore>) -> RunPorts {
        RunPorts {
            clock: Arc::new(self.clock.clone()),
            randomness: Arc::new(self.chance.clone()),
            ..RunPorts::system(
                state,
                Arc::new(self.sleeper.clone()),
                Arc::new(InlineOpRunner),
            )
        }
    }

    /// Runs a new process, and kills it after so many polls: `None` if it was killed.
    pub(crate) fn run_process(
        &mut self,
        polls: u32,
        wrap: impl FnOnce(Arc<dyn StateStore>) -> Arc<dyn StateStore>,
    ) -> Option<Result<RunReport, ExecuteError>> {
        self.processes += 1;
        // The owner before has missed its heartbeats, so that the run can be claimed.
        self.clock.advance(Duration::from_secs(60));
        let this = &*self;
        block_on_one_thread(async move {
            let ports = this.run_ports(wrap(this.location.open_store()));
            let wanted = RunSession::environment_needs(&this.definitions, &this.planned.plan);
            let settings = std::collections::BTreeMap::new();
            let environment = &this.definitions.environments()[0];
            let open = environment.open(&wanted, &settings, None).await.unwrap();
            let session = RunSession::new(
                Arc::clone(&this.definitions),
                ports,
                this.planned.context.clone(),
                this.run,
                &this.planned.plan,
                open,
            );
            let executor = Executor::new(OwnerId(format!("process-{}", this.processes)))
                .with_concurrency(3.try_into().unwrap());
            let stop = Stop::default();
            let first = this.processes == 1;
            let session = Arc::new(if first { session } else { session.resumed() });
            let work = async {
                if first {
                    executor.execute_run(session, &this.planned, &stop).await
                } else {
                    executor.resume_run(session, &this.planned, &stop).await
                }
            };
            poll_at_most(polls, work).await
        })
    }
}
