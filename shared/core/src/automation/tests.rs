//! Ticks over a small world that a test moves.

mod due;
mod explanations;
mod invalid;
mod laws;
mod order;
mod semantics;

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    AutomationCondition, AutomationCursor, Conditions, Evaluation, Ordering, Snapshot, Update,
};
use crate::{
    graph::{AssetGraph, AssetId},
    key::AssetKey,
    partitions::{PartitionContext, PartitionSet, PartitionsDefinition, TimeWindowPartitions},
    spec::{AssetSpec, DepSpec, OpSpec},
};

fn key(key: &str) -> AssetKey {
    key.parse().unwrap()
}

/// An asset made from others, perhaps when a condition says so.
fn asset(name: &str, deps: &[&str], condition: Option<AutomationCondition>) -> AssetSpec {
    let mut spec = AssetSpec::new(key(name));
    spec.deps = deps.iter().map(|dep| DepSpec::new(key(dep))).collect();
    spec.automation = condition;
    spec
}

fn daily(start: &str) -> Arc<PartitionsDefinition> {
    let windows = TimeWindowPartitions::daily(start).build().unwrap();
    Arc::new(PartitionsDefinition::TimeWindow(windows))
}

fn graph(assets: impl IntoIterator<Item = AssetSpec>) -> AssetGraph {
    AssetGraph::new(assets.into_iter().map(OpSpec::single).collect(), vec![]).unwrap()
}

/// A record, a clock and a cursor.
struct World<'g> {
    graph: &'g AssetGraph,
    conditions: Conditions<'g>,
    snapshot: Snapshot,
    cursor: AutomationCursor,
    now: DateTime<Utc>,
    sequence: u64,
}

impl<'g> World<'g> {
    /// A world at five past midnight of 10 June 2024 in which one tick has passed.
    fn new(graph: &'g AssetGraph, ordering: Ordering) -> Self {
        let mut world = Self {
            graph,
            conditions: Conditions::new(graph, ordering).unwrap(),
            snapshot: Snapshot::new(graph),
            cursor: AutomationCursor::default(),
            now: "2024-06-10T00:05:00Z".parse().unwrap(),
            sequence: 0,
        };
        world.tick();
        world
    }

    fn id(&self, name: &str) -> AssetId {
        self.graph.id(&key(name)).unwrap()
    }

    fn context(&self) -> PartitionContext {
        PartitionContext::at(self.now)
    }

    fn pass(&mut self, time: TimeDelta) {
        self.now += time;
    }

    /// Something is materialized a second later.
    fn update(&mut self, name: &str, partitions: PartitionSet) {
        self.update_begun(name, partitions, None);
    }

    fn update_begun(&mut self, name: &str, partitions: PartitionSet, began: Option<DateTime<Utc>>) {
        self.pass(TimeDelta::seconds(1));
        self.sequence += 1;
        let update = Update {
            began,
            ..Update::new(self.sequence, self.now, partitions)
        };
        let id = self.id(name);
        self.snapshot.record(id, update);
    }

    fn evaluate(&mut self) -> Evaluation {
        self.pass(TimeDelta::seconds(1));
        let evaluation = self
            .conditions
            .evaluate(&self.snapshot, &self.cursor, &self.context())
            .unwrap();
        let stored = serde_json::to_string(&evaluation.cursor).unwrap();
        self.cursor = serde_json::from_str(&stored).unwrap();
        assert_eq!(self.cursor, evaluation.cursor);
        evaluation
    }

    fn tick(&mut self) -> BTreeMap<String, Vec<u64>> {
        let requested = self.evaluate().requested.into_iter();
        requested
            .map(|(key, set)| (key.to_string(), set.iter().collect()))
            .collect()
    }
}

/// Nothing but these, wholly (of unpartitioned assets).
fn only(names: &[&str]) -> BTreeMap<String, Vec<u64>> {
    names
        .iter()
        .map(|name| ((*name).to_owned(), vec![0]))
        .collect()
}
