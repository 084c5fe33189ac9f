//! A project in memory, with a clock that is set by hand and a launcher that counts.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use precip_core::{
    automation::AutomationCondition,
    key::AssetKey,
    partitions::{
        DynamicPartitions, PartitionContext, PartitionsDefinition, StaticPartitions,
        TimeWindowPartitions,
    },
    plan::{KeySpan, PartitionChoice, PartitionSelector},
    spec::{AssetSpec, DepSpec, OpSpec},
    trigger::{
        Bucket, DefaultStatus, ObjectEvent, ObjectFilter, ObjectSensor, SensorSource, SensorSpec,
    },
};

use crate::{
    asset::{AssetContext, FnBody, Inputs, OpOutputs, Resources, RunFuture},
    definitions::{Definitions, OpDefinition},
    run::{Clock, Randomness, Sleeper, partition_context, renumber_changed},
    run_id::RunId,
    state::{
        Materialization, MaterializationStore, PageRequest, PartitionRef, Run, RunFilter, RunStore,
        StateStore, memory::MemoryStore,
    },
    trigger::{RunLauncher, SensorDefinition, TriggerPorts},
};

pub(crate) fn utc(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

#[derive(Debug)]
pub(crate) struct HandClock(pub(super) Mutex<DateTime<Utc>>);

impl HandClock {
    pub(crate) fn set_now(&self, now: &str) {
        *self.0.lock().unwrap() = utc(now);
    }
}

impl Clock for HandClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }
}

#[derive(Debug)]
struct NoWait;

#[async_trait]
impl Sleeper for NoWait {
    async fn sleep(&self, _: Duration) {
        tokio::task::yield_now().await;
    }
}

/// Seeded randomness; ids that are created at the same time sort in the order of their creation.
#[derive(Debug)]
struct Dice(Mutex<(fastrand::Rng, u128)>);

impl Randomness for Dice {
    fn random_bits(&self) -> u128 {
        let mut dice = self.0.lock().unwrap();
        dice.1 += 1;
        let counted = 0xffff_u128 << 64;
        (dice.0.u128(..) & !counted) | ((dice.1 << 64) & counted)
    }
}

/// Counts the launches of each run; fails the first `failures` of them.
#[derive(Debug, Default)]
pub(crate) struct Launches {
    pub(crate) counts: Mutex<BTreeMap<RunId, u32>>,
    pub(crate) failures: Mutex<u32>,
}

#[async_trait]
impl RunLauncher for Launches {
    async fn launch(&self, run: &Run) -> Result<(), String> {
        let mut failures = self.failures.lock().unwrap();
        if *failures > 0 {
            *failures -= 1;
            return Err("no room".to_owned());
        }
        *self.counts.lock().unwrap().entry(run.id).or_default() += 1;
        Ok(())
    }
}

pub(crate) fn no_outputs(_: AssetContext, _: Inputs, _: &Resources) -> RunFuture<'_> {
    Box::pin(async { Ok(OpOutputs::default()) })
}

pub(crate) fn daily_partitions() -> Arc<PartitionsDefinition> {
    daily_partitions_from("2024-01-01")
}

fn daily_partitions_from(start: &str) -> Arc<PartitionsDefinition> {
    let days = TimeWindowPartitions::daily(start).build().unwrap();
    Arc::new(days.into())
}

/// Daily `orders` and `clicks`, `joined` from both, `uploads` of any file, an unpartitioned `report`, and
/// `eager` from `orders` under a condition.
fn project_definitions() -> Definitions {
    project_definitions_from("2024-01-01")
}

/// The same project with days from another one on.
fn project_definitions_from(start: &str) -> Definitions {
    let days = daily_partitions_from(start);
    let asset = |key: &str, partitions: Option<&Arc<PartitionsDefinition>>| AssetSpec {
        partitions: partitions.cloned(),
        ..AssetSpec::new(key.parse().unwrap())
    };
    let mut joined = asset("joined", Some(&days));
    joined.deps = ["orders", "clicks"]
        .map(|key| DepSpec::new(key.parse().unwrap()))
        .to_vec();
    let mut eager = asset("eager", Some(&days));
    eager.deps = vec![DepSpec::new("orders".parse().unwrap())];
    eager.automation = Some(AutomationCondition::eager());
    let files: Arc<PartitionsDefinition> = Arc::new(DynamicPartitions::new("files").into());
    let regions = StaticPartitions::new(["n", "s"]).unwrap();
    let regions: Arc<PartitionsDefinition> = Arc::new(regions.into());
    let all = [
        asset("orders", Some(&days)),
        asset("clicks", Some(&days)),
        joined,
        eager,
        asset("uploads", Some(&files)),
        asset("regions", Some(&regions)),
        asset("report", None),
        asset("report_too", None),
    ];
    all.into_iter()
        .fold(Definitions::builder(), |builder, asset| {
            builder.op(OpDefinition::new(OpSpec::single(asset), FnBody(no_outputs)))
        })
        .build()
        .unwrap()
}

pub(crate) struct World {
    pub(crate) ports: TriggerPorts,
    pub(crate) clock: Arc<HandClock>,
    pub(crate) launches: Arc<Launches>,
    pub(crate) memory: Arc<MemoryStore>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with_seed(7)
    }

    pub(crate) fn with_seed(seed: u64) -> Self {
        Self::with_definitions(project_definitions(), seed)
    }

    pub(crate) fn with_definitions(definitions: Definitions, seed: u64) -> Self {
        let clock = Arc::new(HandClock(Mutex::new(utc("2024-12-01T12:00:00Z"))));
        let launches = Arc::new(Launches::default());
        let memory = Arc::new(MemoryStore::new());
        let ports = TriggerPorts {
            definitions: Arc::new(definitions),
            state: Arc::clone(&memory) as Arc<dyn StateStore>,
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            sleeper: Arc::new(NoWait),
            randomness: Arc::new(Dice(Mutex::new((fastrand::Rng::with_seed(seed), 0)))),
            launcher: Arc::clone(&launches) as Arc<dyn RunLauncher>,
            resources: Arc::new(Resources::new()),
            environment: "local".to_owned(),
        };
        Self {
            ports,
            clock,
            launches,
            memory,
        }
    }

    /// Deploys the project with days from another one on, and numbers the record by it.
    pub(crate) async fn deploy_days_from(&mut self, start: &str) {
        let state = &self.ports.state;
        // The record knows what its numbers mean before the deployment.
        for definitions in [
            Arc::clone(&self.ports.definitions),
            Arc::new(project_definitions_from(start)),
        ] {
            let now = self.clock.now();
            let context = partition_context(&definitions, state, now).await.unwrap();
            renumber_changed(&definitions, state, &context)
                .await
                .unwrap();
            self.ports.definitions = definitions;
        }
    }

    /// Returns the ports with another state store.
    pub(crate) fn ports_with_state(&self, state: Arc<dyn StateStore>) -> TriggerPorts {
        TriggerPorts {
            state,
            ..self.ports.clone()
        }
    }

    /// Returns every recorded run, with its partitions one by one.
    pub(crate) async fn recorded_runs(&self) -> Vec<(Run, Vec<String>)> {
        let page = PageRequest::first(10_000);
        let runs = self
            .memory
            .list_runs(&RunFilter::default(), &page)
            .await
            .unwrap();
        let mut runs: Vec<Run> = runs.items;
        runs.reverse();
        runs.into_iter()
            .map(|run| {
                let keys = partition_keys(&run);
                (run, keys)
            })
            .collect()
    }

    /// Returns the selection and the partitions of every run, one line per run.
    pub(crate) async fn requested_lines(&self) -> Vec<String> {
        let runs = self.recorded_runs().await;
        runs.into_iter()
            .map(|(run, _)| {
                let partitions = run.request.partitions.unwrap_or_default();
                format!("{} {partitions}", run.request.selection)
            })
            .collect()
    }

    /// Records that a run started at `began` has materialized a partition.
    pub(crate) async fn materialize_at(&self, asset: &str, partition: &str, began: &str) {
        let asset: AssetKey = asset.parse().unwrap();
        let context = PartitionContext::at(utc("2060-01-01T00:00:00Z"));
        let graph = self.ports.definitions.graph();
        let definition = graph.partitions(graph.id(&asset).unwrap());
        let target = match definition {
            Some(definition) => {
                let ordinal = definition.find(partition, &context).unwrap();
                PartitionRef::new(asset, partition, ordinal)
            }
            None => PartitionRef::unpartitioned(asset),
        };
        let milliseconds = u64::try_from(utc(began).timestamp_millis()).unwrap();
        let bits = self.ports.randomness.random_bits();
        let made = Materialization {
            target,
            run: RunId::new(ulid::Ulid::from_parts(milliseconds, bits)),
            attempt: 1,
            pointer: None,
            metadata: Default::default(),
            data_version: format!("{bits:x}"),
            code_version: None,
            inputs: Vec::new(),
            checks: Vec::new(),
            started_at: utc(began),
            finished_at: utc(began),
        };
        self.memory
            .commit_materializations(vec![made])
            .await
            .unwrap();
    }
}

/// Returns the partitions of a run of days or files, one by one.
fn partition_keys(run: &Run) -> Vec<String> {
    let Some(text) = &run.request.partitions else {
        return Vec::new();
    };
    let selector: PartitionSelector = text.parse().unwrap();
    let PartitionChoice::Keys(spans) = selector.choice else {
        panic!("{text} are not keys");
    };
    let days = daily_partitions();
    let context = PartitionContext::at(utc("2060-01-01T00:00:00Z"));
    let expand = |span: KeySpan| -> Vec<String> {
        match span {
            KeySpan::One(key) => vec![key.to_string()],
            KeySpan::Range(first, last) => {
                let set = days.range(&first, &last, &context).unwrap();
                days.keys(&set, &context)
                    .map(|key| key.to_string())
                    .collect()
            }
        }
    };
    spans.into_iter().flat_map(expand).collect()
}

/// A sensor of objects that match `key`, for `target`.
pub(crate) fn landing_sensor(key: &str, target: &str) -> SensorDefinition {
    SensorDefinition::new(SensorSpec {
        name: "landing".parse().unwrap(),
        source: SensorSource::Objects(ObjectSensor {
            bucket: Bucket::Named("bucket".to_owned()),
            filter: ObjectFilter::Key(key.parse().unwrap()),
            min_size: 0,
            deletes: false,
        }),
        target: Some(target.parse().unwrap()),
        default_status: DefaultStatus::Running,
        description: None,
        has_function: false,
    })
}

/// The event of a written object, with a sequencer derived from its time and number.
pub(crate) fn object_event(key: &str, time: &str, number: u32) -> ObjectEvent {
    ObjectEvent {
        size: Some(10),
        etag: Some(format!("etag-{key}-{number}")),
        sequencer: Some(format!("{:08X}{number:08X}", utc(time).timestamp())),
        ..ObjectEvent::created("bucket", key, utc(time))
    }
}

pub(crate) fn unique_keys(keys: &[String]) -> BTreeSet<&String> {
    keys.iter().collect()
}
