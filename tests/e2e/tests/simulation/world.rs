//! A run on a record and data of its own, and the processes that work on it one after the other.

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
    project::{Shared, definitions},
};

/// Every look at the clock takes a millisecond.
#[derive(Debug, Clone, Default)]
pub(crate) struct ResolvedSchedule(Arc<AtomicI64>);

impl ResolvedSchedule {
    pub(crate) fn pass(&self, time: Duration) {
        let passed = i64::try_from(time.as_millis()).unwrap();
        self.0.fetch_add(passed, Ordering::SeqCst);
    }
}

impl Clock for ResolvedSchedule {
    fn now(&self) -> DateTime<Utc> {
        let start = DateTime::UNIX_EPOCH + chrono::TimeDelta::days(10_000);
        start + chrono::TimeDelta::milliseconds(self.0.fetch_add(1, Ordering::SeqCst))
    }
}

/// Waits no time at all, but for what must not end by itself; and remembers how long was waited.
#[derive(Debug, Clone, Default)]
pub(crate) struct Impatient {
    pub(crate) waits: Arc<Mutex<Vec<Duration>>>,
    /// Waits as long as this end at once as well.
    pub(crate) ends: Option<Duration>,
}

#[async_trait]
impl Sleeper for Impatient {
    async fn sleep(&self, duration: Duration) {
        if duration >= Duration::from_secs(60) && self.ends != Some(duration) {
            std::future::pending().await
        }
        self.waits.lock().unwrap().push(duration);
        tokio::task::yield_now().await;
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Seeded(Arc<Mutex<fastrand::Rng>>);

impl Seeded {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(fastrand::Rng::with_seed(seed))))
    }
}

impl Randomness for Seeded {
    fn random_bits(&self) -> u128 {
        self.0.lock().unwrap().u128(..)
    }
}

/// Where the record is kept.
pub(crate) enum Place {
    Memory(MemoryStore),
    File(PathBuf),
}

impl Place {
    /// The record as a new process finds it.
    pub(crate) fn open(&self) -> Arc<dyn StateStore> {
        match self {
            Self::Memory(store) => Arc::new(store.clone()),
            Self::File(path) => Arc::new(SqliteStore::open(path).unwrap()),
        }
    }
}

/// A run that was planned and put on record.
pub(crate) struct World {
    pub(crate) place: Place,
    pub(crate) data: Arc<Disk>,
    pub(crate) trouble: Shared,
    pub(crate) definitions: Arc<Definitions>,
    pub(crate) clock: ResolvedSchedule,
    pub(crate) sleeper: Impatient,
    pub(crate) planned: PlannedRun,
    pub(crate) run: RunId,
    chance: Seeded,
    processes: u32,
}

pub(crate) fn in_one_thread<T>(work: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    // What the process leaves behind ends with its runtime.
    builder.enable_all().build().unwrap().block_on(work)
}

impl World {
    pub(crate) fn new(seed: u64, place: Place, selection: &str, sleeper: Impatient) -> Self {
        let trouble = Shared::new(seed);
        let data = Arc::new(Disk::default());
        let definitions = Arc::new(definitions(&trouble, data.clone()));
        let clock = ResolvedSchedule::default();
        let chance = Seeded::new(seed);
        let run = new_run_id(&clock, &chance);
        let request = RequestedWork {
            selection: selection.to_owned(),
            partitions: selection.contains("source").then(|| "all".to_owned()),
            ..RequestedWork::default()
        };
        let planned = in_one_thread(async {
            let state = place.open();
            let checks = CheckSelection::All;
            plan_run(&definitions, &state, clock.now(), &request, checks)
                .await
                .unwrap()
        });
        let world = Self {
            place,
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
        in_one_thread(async {
            let plan = &world.planned.plan;
            let new = CreateRun {
                id: run,
                key: None,
                request,
                plan,
                pointer: None,
            };
            create_run(&world.ports(world.place.open()), new)
                .await
                .unwrap();
        });
        world
    }

    fn ports(&self, state: Arc<dyn StateStore>) -> RunPorts {
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

    /// Lets a new process work on the run, and kills it after so many polls. `None` when it was killed.
    pub(crate) fn process(
        &mut self,
        polls: u32,
        wrap: impl FnOnce(Arc<dyn StateStore>) -> Arc<dyn StateStore>,
    ) -> Option<Result<RunReport, ExecuteError>> {
        self.processes += 1;
        // The process before is known to be dead.
        self.clock.pass(Duration::from_secs(60));
        let this = &*self;
        in_one_thread(async move {
            let ports = this.ports(wrap(this.place.open()));
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
                match first {
                    true => executor.execute_run(session, &this.planned, &stop).await,
                    false => executor.resume_run(session, &this.planned, &stop).await,
                }
            };
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
        })
    }
}
