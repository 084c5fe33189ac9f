//! A case on a store in DynamoDB: its events are recorded as runs record them, and the reactor gets the
//! changes of the stream.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use precip_aws::state::dynamo::{
    harness::{Dynamo, IdleLauncher, RealTimeSleeper, empty_op},
    projection::Change,
};
use precip_core::{
    graph::{AssetGraph, AssetId},
    key::AssetKey,
    partitions::{PartitionContext, PartitionKey, PartitionSet},
    plan::{KeySpan, PartitionChoice, PartitionSelector},
    selection::Selection,
};
use precip_engine::{
    asset::{ErrorKind, FnBody, Resources},
    definitions::{Definitions, OpDefinition},
    react::{ChangeSet, ReactPorts, Reaction, TickScheduler, affected_by, react},
    run::{Clock, Randomness, new_run_id},
    run_id::RunId,
    state::{
        AttemptStart, FailedAttempt, Materialization, MaterializationStore, NewRun, PageRequest,
        PartitionRef, PlanSummary, RequestedWork, RunChange, RunFilter, RunStatus, RunStore,
        StateStore,
    },
    trigger::TriggerPorts,
};
use serde_json::Value;

use super::{
    answer, same,
    timeline::{Definitions as Named, Event, RunFields, Timeline},
};
use crate::kind::Mismatch;

/// The time of the case, and ids that sort in the order in which they are made.
#[derive(Debug)]
struct Hand {
    now: Mutex<DateTime<Utc>>,
    made: AtomicU64,
}

impl Clock for Hand {
    fn now(&self) -> DateTime<Utc> {
        *self.now.lock().unwrap()
    }
}

impl Randomness for Hand {
    fn random_bits(&self) -> u128 {
        self.made.fetch_add(1, Ordering::Relaxed).into()
    }
}

/// A case has its own ticks.
struct Ticks;

#[async_trait]
impl TickScheduler for Ticks {
    async fn call_at(&self, _: DateTime<Utc>) -> Result<(), String> {
        Ok(())
    }
}

/// A case under way.
struct Replay {
    timeline: Timeline,
    dynamo: Dynamo,
    hand: Arc<Hand>,
    /// The runs that the case names.
    named: BTreeMap<String, RunId>,
    /// The runs that automation has asked for so far.
    asked: BTreeSet<RunId>,
}

/// Replays a case: after the events of each step the record has to ask for what is expected of it.
pub(super) async fn replay(
    case: &Value,
    named: &Named,
    expected: &[(DateTime<Utc>, Value)],
) -> Result<(), Mismatch> {
    let timeline = Timeline::read(case, named);
    let mut replay = Replay {
        hand: Arc::new(Hand {
            now: Mutex::new(timeline.now()),
            made: AtomicU64::new(1),
        }),
        timeline,
        dynamo: Dynamo::new().await,
        named: BTreeMap::new(),
        asked: BTreeSet::new(),
    };
    let mut requested = BTreeMap::new();
    for (step, (now, expected)) in replay.timeline.steps.clone().iter().zip(expected) {
        assert_eq!(replay.timeline.advance(step.minutes), *now);
        *replay.hand.now.lock().unwrap() = *now;
        for event in &step.events {
            replay.apply(event).await;
        }
        if replay.timeline.reports_requested {
            replay.report_all(&std::mem::take(&mut requested)).await;
        }
        let reaction = replay.react().await;
        if let Some(failed) = reaction.failed.first() {
            return same(*now, expected, &failed.message.clone().into());
        }
        requested = replay.requested().await;
        let context = PartitionContext::at(*now);
        let answer = answer(&replay.timeline.graph(), &requested, &context);
        same(*now, expected, &answer)?;
    }
    Ok(())
}

impl Replay {
    fn now(&self) -> DateTime<Utc> {
        self.hand.now()
    }

    fn run_id(&self) -> RunId {
        new_run_id(self.hand.as_ref(), self.hand.as_ref())
    }

    async fn apply(&mut self, event: &Event) {
        match event {
            Event::Report { key, partition } => {
                let run = self.run_id();
                self.finish(run, [key], partition.as_deref()).await;
            }
            Event::Observe {} => {}
            Event::Run {
                keys,
                partition,
                fields,
            } => {
                let run = self.start(keys, partition.as_deref(), fields).await;
                self.finish(run, keys, partition.as_deref()).await;
                self.end(run, RunStatus::Succeeded).await;
            }
            Event::FailRun {
                keys,
                partition,
                fail,
                fields,
            } => {
                let run = self.start(keys, partition.as_deref(), fields).await;
                let made = keys.iter().filter(|key| !fail.contains(key));
                self.finish(run, made, partition.as_deref()).await;
                self.fail(run, fail, partition.as_deref()).await;
                self.end(run, RunStatus::Failed).await;
            }
            Event::StartRun {
                run: name,
                keys,
                partition,
                fields,
            } => {
                let run = self.start(keys, partition.as_deref(), fields).await;
                self.named.insert(name.clone(), run);
            }
            Event::CancelRun { run } => self.end(self.named[run], RunStatus::Canceled).await,
            Event::CodeVersion { key, version } => self.timeline.deploy(key, version),
        }
    }

    /// Creates a run, which begins with some assets.
    async fn start(&self, keys: &[AssetKey], partition: Option<&str>, fields: &RunFields) -> RunId {
        let (id, now, store) = (self.run_id(), self.now(), &self.dynamo.store);
        let run = NewRun {
            id,
            key: None,
            request: RequestedWork {
                tags: fields.tags.clone(),
                ..RequestedWork::default()
            },
            // Most runs of the cases name no assets.
            plan: (!fields.asset_selection.is_empty()).then(|| PlanSummary {
                assets: fields
                    .asset_selection
                    .iter()
                    .map(|key| (key.clone(), 1))
                    .collect(),
                items: fields.asset_selection.len() as u64,
                waves: 1,
                pointer: None,
            }),
            created_at: now,
        };
        store.create_run(run).await.unwrap();
        let begun = RunChange::new([RunStatus::Queued], RunStatus::Running, now);
        store.change_run(id, begun).await.unwrap();
        let attempts = keys.iter().map(|key| AttemptStart {
            target: self.target(key, partition),
            run: id,
            attempt: 1,
            at: now,
        });
        store.record_attempts(attempts.collect()).await.unwrap();
        id
    }

    async fn finish(
        &self,
        run: RunId,
        keys: impl IntoIterator<Item = &AssetKey>,
        partition: Option<&str>,
    ) {
        let now = self.now();
        let made = keys.into_iter().map(|key| Materialization {
            target: self.target(key, partition),
            run,
            attempt: 1,
            pointer: None,
            metadata: Default::default(),
            data_version: run.to_string(),
            code_version: None,
            inputs: Vec::new(),
            checks: Vec::new(),
            started_at: now,
            finished_at: now,
        });
        self.dynamo
            .store
            .commit_materializations(made.collect())
            .await
            .unwrap();
    }

    async fn fail(&self, run: RunId, keys: &[AssetKey], partition: Option<&str>) {
        let failures = keys.iter().map(|key| FailedAttempt {
            target: self.target(key, partition),
            run,
            attempt: 1,
            kind: ErrorKind::Terminal,
            message: "the case says so".to_owned(),
            causes: Vec::new(),
            will_retry: false,
            at: self.now(),
        });
        self.dynamo
            .store
            .record_failures(failures.collect())
            .await
            .unwrap();
    }

    async fn end(&self, run: RunId, status: RunStatus) {
        let over = RunChange::new([RunStatus::Running], status, self.now());
        self.dynamo.store.change_run(run, over).await.unwrap();
    }

    /// Materializes all requests.
    async fn report_all(&self, requested: &BTreeMap<AssetKey, PartitionSet>) {
        let (graph, context) = (self.timeline.graph(), PartitionContext::at(self.now()));
        for (key, set) in requested {
            let id = graph.id(key).unwrap();
            for partition in super::timeline::keys(&graph, id, set, &context) {
                let run = self.run_id();
                self.finish(run, [key], partition.as_deref()).await;
            }
        }
    }

    fn target(&self, key: &AssetKey, partition: Option<&str>) -> PartitionRef {
        let Some(partition) = partition else {
            return PartitionRef::unpartitioned(key.clone());
        };
        let (graph, context) = (self.timeline.graph(), PartitionContext::at(self.now()));
        let definition = graph.partitions(graph.id(key).unwrap()).unwrap();
        let ordinal = definition.ordinal(&PartitionKey::from(partition), &context);
        PartitionRef::new(key.clone(), partition, ordinal.unwrap())
    }

    /// Projects the changes of the stream and reacts to them, as the reactor does. Without a change that
    /// affects conditions, only time passes.
    async fn react(&self) -> Reaction {
        let changes: Vec<Change> = self
            .dynamo
            .read_changes()
            .await
            .into_iter()
            .flatten()
            .collect();
        let projected = self
            .dynamo
            .projector()
            .apply_changes(&changes)
            .await
            .unwrap();
        let (ports, happened) = (self.ports(), projected.change_set());
        let affects_automation = affected_by(&ports.triggers.definitions, &happened).automation;
        let reaction = react(&ports, &happened).await;
        match affects_automation {
            true => reaction,
            false => react(&ports, &ChangeSet::on_tick()).await,
        }
    }

    fn ports(&self) -> ReactPorts {
        let ops = self.timeline.ops().into_iter();
        let ops = ops.map(|op| OpDefinition::new(op, FnBody(empty_op)));
        let builder = ops.fold(Definitions::builder(), |builder, op| builder.op(op));
        ReactPorts {
            triggers: TriggerPorts {
                definitions: Arc::new(builder.build().unwrap()),
                state: Arc::new(self.dynamo.store.clone()) as Arc<dyn StateStore>,
                clock: Arc::clone(&self.hand) as Arc<dyn Clock>,
                sleeper: Arc::new(RealTimeSleeper),
                randomness: Arc::clone(&self.hand) as Arc<dyn Randomness>,
                launcher: Arc::new(IdleLauncher),
                resources: Arc::new(Resources::new()),
                environment: "test".to_owned(),
            },
            resources: Arc::new(Arc::new(Resources::new())),
            ticks: Arc::new(Ticks),
            topic: Arc::new(()),
        }
    }

    /// Returns the requests of runs that were recorded since the last call.
    async fn requested(&mut self) -> BTreeMap<AssetKey, PartitionSet> {
        let (graph, context) = (self.timeline.graph(), PartitionContext::at(self.now()));
        let page = PageRequest::first(1_000);
        let runs = self
            .dynamo
            .store
            .list_runs(&RunFilter::default(), &page)
            .await;
        let mut requested: BTreeMap<AssetKey, PartitionSet> = BTreeMap::new();
        for run in runs.unwrap().items {
            let automatic = run.request.tags.contains_key("precip/automation");
            if !automatic || !self.asked.insert(run.id) {
                continue;
            }
            let selection: Selection = run.request.selection.parse().unwrap();
            for id in selection.resolve(&graph).unwrap().iter() {
                let set = partitions(&graph, id, run.request.partitions.as_deref(), &context);
                let before = requested.entry(graph.key(id).clone()).or_default();
                assert!((&*before & &set).is_empty(), "requested twice: {run:?}");
                *before |= &set;
            }
        }
        requested
    }
}

/// The partitions of an asset that a request names.
fn partitions(
    graph: &AssetGraph,
    id: AssetId,
    written: Option<&str>,
    context: &PartitionContext,
) -> PartitionSet {
    let (Some(definition), Some(written)) = (graph.partitions(id), written) else {
        return PartitionSet::single(0);
    };
    let selector: PartitionSelector = written.parse().unwrap();
    let PartitionChoice::Keys(spans) = selector.choice else {
        panic!("{written} are keys");
    };
    let mut set = PartitionSet::empty();
    for span in spans {
        match span {
            KeySpan::One(key) => {
                set.insert(definition.ordinal(&key, context).unwrap());
            }
            KeySpan::Range(first, last) => {
                set |= &definition.range(&first, &last, context).unwrap();
            }
        }
    }
    set
}
