//! The events of assets in Dagster's log, with the cache of partition statuses that it keeps: a
//! status is recomputed from what came since somebody last asked, which shows.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use precip_core::{
    automation::{RunFacts, RunRef, Snapshot, Update},
    graph::{AssetGraph, AssetId},
    key::AssetKey,
    partitions::{PartitionContext, PartitionKey, PartitionSet},
};

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Status {
    Started,
    Succeeded,
    Failed,
    Cancelled,
}

struct Event {
    id: u64,
    at: DateTime<Utc>,
    asset: AssetKey,
    partition: Option<String>,
    run: Option<usize>,
    planned: bool,
}

/// The cached status of the partitions of one asset.
#[derive(Clone, Default)]
struct Cached {
    latest: u64,
    materialized: BTreeSet<String>,
    failed: BTreeSet<String>,
    in_progress: BTreeSet<String>,
    earliest_in_progress: Option<u64>,
}

#[derive(Default)]
pub(crate) struct Record {
    events: Vec<Event>,
    runs: Vec<(RunFacts, Status)>,
    names: BTreeMap<String, usize>,
    cached: BTreeMap<AssetKey, Cached>,
    fresh: BTreeMap<AssetKey, Cached>,
}

impl Record {
    fn push(
        &mut self,
        asset: &AssetKey,
        partition: Option<&str>,
        at: DateTime<Utc>,
        run: Option<usize>,
        planned: bool,
    ) {
        let id = self.events.len() as u64 + 1;
        let partition = partition.map(str::to_owned);
        self.events.push(Event {
            id,
            at,
            asset: asset.clone(),
            partition,
            run,
            planned,
        });
    }

    /// A materialization outside of any run.
    pub(crate) fn report(
        &mut self,
        asset: &AssetKey,
        partition: Option<String>,
        at: DateTime<Utc>,
    ) {
        self.push(asset, partition.as_deref(), at, None, false);
    }

    /// A run that plans to materialize all of `keys`, and does so but for those in `without`.
    pub(crate) fn run(
        &mut self,
        keys: &[AssetKey],
        facts: RunFacts,
        partition: Option<&str>,
        without: &[AssetKey],
        at: DateTime<Utc>,
        status: Status,
    ) -> usize {
        let run = self.runs.len();
        self.runs.push((facts, status));
        for key in keys {
            self.push(key, partition, at, Some(run), true);
        }
        for key in keys.iter().filter(|key| !without.contains(key)) {
            self.push(key, partition, at, Some(run), false);
        }
        run
    }

    pub(crate) fn name(&mut self, name: &str, run: usize) {
        self.names.insert(name.to_owned(), run);
    }

    pub(crate) fn cancel(&mut self, name: &str) {
        self.runs[self.names[name]].1 = Status::Cancelled;
    }

    /// Returns the facts at the time of the context.
    pub(crate) fn snapshot(&mut self, graph: &AssetGraph, context: &PartitionContext) -> Snapshot {
        let mut snapshot = Snapshot::new(graph);
        let runs = self.runs.iter().map(|(facts, _)| facts.clone());
        let runs: Vec<RunRef> = runs.map(|facts| snapshot.add_run(facts)).collect();
        for event in self.events.iter().filter(|event| !event.planned) {
            let Some(id) = graph.id(&event.asset) else {
                continue;
            };
            if let Some(ordinal) = ordinal(graph, id, event.partition.as_deref(), context) {
                let partitions = PartitionSet::single(ordinal);
                let update = Update {
                    run: event.run.map(|run| runs[run]),
                    ..Update::new(event.id, event.at, partitions)
                };
                snapshot.record_update(id, update);
            }
        }
        snapshot.seen_up_to(self.events.len() as u64);
        for id in graph.ids() {
            let key = graph.key(id).clone();
            let facts = snapshot.asset_facts_mut(id);
            let whole = |yes: bool| {
                if yes {
                    PartitionSet::single(0)
                } else {
                    PartitionSet::empty()
                }
            };
            if graph.partitions(id).is_none() {
                facts.run_in_progress = whole(self.is_in_progress(&key));
                facts.failed = whole(self.has_failed(&key));
                continue;
            }
            let exists = |key: &str| ordinal(graph, id, Some(key), context);
            let fresh = self.refreshed(&key, &|key| exists(key).is_some());
            let set = |keys: &BTreeSet<String>| keys.iter().filter_map(|key| exists(key)).collect();
            facts.materialized = set(&fresh.materialized);
            facts.failed = set(&fresh.failed);
            facts.run_in_progress = set(&fresh.in_progress);
            self.fresh.insert(key, fresh);
        }
        snapshot
    }

    /// Somebody asked for the status of an asset's partitions: it is kept as it was then.
    pub(crate) fn remember_status(&mut self, asset: &AssetKey) {
        if let Some(fresh) = self.fresh.get(asset).filter(|fresh| fresh.latest > 0) {
            self.cached.insert(asset.clone(), fresh.clone());
        }
    }

    fn of<'a>(
        &'a self,
        asset: &'a AssetKey,
        planned: bool,
    ) -> impl DoubleEndedIterator<Item = &'a Event> {
        self.events
            .iter()
            .filter(move |event| event.asset == *asset && event.planned == planned)
    }

    /// The run that last planned to make an unpartitioned asset, unless it did.
    fn last_unfulfilled_plan<'a>(&'a self, asset: &'a AssetKey) -> Option<&'a Event> {
        let plan = self.of(asset, true).next_back()?;
        let made = self.of(asset, false).next_back();
        (made.and_then(|made| made.run) != plan.run).then_some(plan)
    }

    fn is_in_progress(&self, asset: &AssetKey) -> bool {
        let run = self.last_unfulfilled_plan(asset).and_then(|plan| plan.run);
        run.is_some_and(|run| self.runs[run].1 == Status::Started)
    }

    fn has_failed(&self, asset: &AssetKey) -> bool {
        let Some(plan) = self.last_unfulfilled_plan(asset) else {
            return false;
        };
        plan.run
            .is_some_and(|run| self.runs[run].1 == Status::Failed)
            && !self
                .of(asset, false)
                .any(|made| made.run == plan.run && made.id > plan.id)
    }

    fn refreshed(&self, asset: &AssetKey, exists: &dyn Fn(&str) -> bool) -> Cached {
        let last = |planned| {
            self.of(asset, planned)
                .next_back()
                .map_or(0, |event| event.id)
        };
        let before = self.cached.get(asset).cloned();
        let mut fresh = before.clone().unwrap_or_default();
        fresh.latest = last(false).max(last(true));
        let since = before.as_ref().map_or(0, |before| before.latest);
        for made in self.of(asset, false).filter(|made| made.id > since) {
            let Some(key) = made.partition.as_ref().filter(|key| exists(key)) else {
                continue;
            };
            fresh.materialized.insert(key.clone());
            fresh.failed.remove(key);
        }
        let after = before.map_or(0, |before| match before.earliest_in_progress {
            Some(earliest) => earliest - 1,
            None => before.latest,
        });
        // The last plan of each partition that no materialization followed.
        let mut open: BTreeMap<&str, &Event> = BTreeMap::new();
        for event in &self.events {
            let Some(key) = event.partition.as_deref() else {
                continue;
            };
            if event.asset != *asset || event.id <= after {
                continue;
            }
            if event.planned {
                open.insert(key, event);
            } else {
                open.remove(key);
            }
        }
        fresh.in_progress.clear();
        fresh.earliest_in_progress = None;
        for (key, plan) in open {
            match plan.run.map(|run| self.runs[run].1) {
                Some(Status::Failed) if exists(key) => {
                    fresh.failed.insert(key.to_owned());
                }
                Some(Status::Started) => {
                    let earliest = fresh.earliest_in_progress.get_or_insert(plan.id);
                    *earliest = plan.id.min(*earliest);
                    if exists(key) {
                        fresh.in_progress.insert(key.to_owned());
                    }
                }
                _ => {}
            }
        }
        fresh
    }
}

fn ordinal(
    graph: &AssetGraph,
    id: AssetId,
    partition: Option<&str>,
    context: &PartitionContext,
) -> Option<u64> {
    match (graph.partitions(id), partition) {
        (None, None) => Some(0),
        (Some(definition), Some(key)) => definition.ordinal(&PartitionKey::from(key), context).ok(),
        _ => None,
    }
}
