//! Ticks over a small world that a test controls.

mod clocks;
mod due;
mod existence;
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

fn asset_key(key: &str) -> AssetKey {
    key.parse().unwrap()
}

/// An asset with upstream assets and, optionally, a condition.
fn asset_spec(name: &str, deps: &[&str], condition: Option<AutomationCondition>) -> AssetSpec {
    let mut spec = AssetSpec::new(asset_key(name));
    spec.deps = deps
        .iter()
        .map(|dep| DepSpec::new(asset_key(dep)))
        .collect();
    spec.automation = condition;
    spec
}

fn daily_partitions(start: &str) -> Arc<PartitionsDefinition> {
    let windows = TimeWindowPartitions::daily(start).build().unwrap();
    Arc::new(PartitionsDefinition::TimeWindow(windows))
}

fn graph_of(assets: impl IntoIterator<Item = AssetSpec>) -> AssetGraph {
    AssetGraph::new(assets.into_iter().map(OpSpec::single).collect(), vec![]).unwrap()
}

/// Facts, a clock and a cursor.
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
        world.next_requests();
        world
    }

    fn asset_id(&self, name: &str) -> AssetId {
        self.graph.id(&asset_key(name)).unwrap()
    }

    fn context(&self) -> PartitionContext {
        PartitionContext::at(self.now)
    }

    fn advance_clock(&mut self, time: TimeDelta) {
        self.now += time;
    }

    /// Materializes partitions a second later.
    fn materialize(&mut self, name: &str, partitions: PartitionSet) {
        self.materialize_begun(name, partitions, None);
    }

    /// Materializes partitions a second later, by work that began to read at `began`.
    fn materialize_begun(
        &mut self,
        name: &str,
        partitions: PartitionSet,
        began: Option<DateTime<Utc>>,
    ) {
        self.advance_clock(TimeDelta::seconds(1));
        self.sequence += 1;
        let update = Update {
            began,
            ..Update::new(self.sequence, self.now, partitions)
        };
        let id = self.asset_id(name);
        self.snapshot.record_update(id, update);
    }

    /// Evaluates a tick a second later, and stores and reads its cursor.
    fn evaluate_next_tick(&mut self) -> Evaluation {
        self.advance_clock(TimeDelta::seconds(1));
        let evaluation = self
            .conditions
            .evaluate_tick(&self.snapshot, &self.cursor, &self.context())
            .unwrap();
        let stored = serde_json::to_string(&evaluation.cursor).unwrap();
        self.cursor = serde_json::from_str(&stored).unwrap();
        assert_eq!(self.cursor, evaluation.cursor);
        evaluation
    }

    /// Evaluates a tick and returns the requested ordinals of each asset.
    fn next_requests(&mut self) -> BTreeMap<String, Vec<u64>> {
        let requested = self.evaluate_next_tick().requested.into_iter();
        requested
            .map(|(key, set)| (key.to_string(), set.iter().collect()))
            .collect()
    }
}

/// The result of a tick that requests these unpartitioned assets.
fn whole_assets(names: &[&str]) -> BTreeMap<String, Vec<u64>> {
    names
        .iter()
        .map(|name| ((*name).to_owned(), vec![0]))
        .collect()
}
