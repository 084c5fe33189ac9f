//! Three automation ticks over one graph: the first, one in which nothing is new, and one after the
//! last day of the first layer was made.

use chrono::TimeDelta;
use precip_core::{
    automation::{
        AutomationCondition, AutomationCursor, Conditions, Evaluation, Ordering, Snapshot, Update,
    },
    graph::AssetGraph,
    partitions::{PartitionContext, PartitionSet},
};

/// The automation ticks of a graph.
#[derive(Debug)]
pub struct Ticks<'g> {
    graph: &'g AssetGraph,
    conditions: Conditions<'g>,
    context: PartitionContext,
    snapshot: Snapshot,
    cursor: AutomationCursor,
}

impl<'g> Ticks<'g> {
    /// Creates the state before the first tick, without any materialization.
    ///
    /// # Panics
    /// If a condition of the graph is invalid.
    pub fn new(graph: &'g AssetGraph, context: &PartitionContext) -> Self {
        let conditions = Conditions::new(graph, Ordering::Sequence).expect("conditions");
        Self {
            graph,
            conditions,
            context: context.clone(),
            snapshot: Snapshot::new(graph),
            cursor: AutomationCursor::default(),
        }
    }

    /// Evaluates the tick without advancing.
    ///
    /// # Panics
    /// Never: the mappings of a graph fit.
    pub fn evaluate(&self) -> Evaluation {
        self.conditions
            .evaluate_tick(&self.snapshot, &self.cursor, &self.context)
            .expect("an evaluation")
    }

    /// Advances to the next tick, half a minute later.
    pub fn go_on(&mut self, cursor: AutomationCursor) {
        self.cursor = cursor;
        self.context.now += TimeDelta::seconds(30);
    }

    /// Records everything as materialized, except for `missing` of each asset.
    pub fn record_all_but(&mut self, missing: &PartitionSet) {
        for asset in self.graph.ids() {
            let Some(definition) = self.graph.partitions(asset) else {
                continue;
            };
            let all = definition.all(&self.context);
            self.snapshot.asset_facts_mut(asset).materialized = &all - missing;
        }
    }

    /// Records the last day of each root asset as materialized.
    pub fn record_roots(&mut self) {
        for asset in self.graph.ids() {
            let last = self
                .graph
                .partitions(asset)
                .and_then(|days| days.last(&self.context));
            if let (true, Some(last)) = (self.graph.upstream(asset).is_empty(), last) {
                let sequence = self.snapshot.sequence() + 1;
                let update = Update::new(sequence, self.context.now, PartitionSet::single(last));
                self.snapshot.record_update(asset, update);
            }
        }
    }
}

/// Returns `eager` for every day, not only the last.
pub fn eager_every_day() -> AutomationCondition {
    AutomationCondition::eager().replace_named(
        "in_latest_time_window",
        &AutomationCondition::in_latest_time_windows(TimeDelta::days(1_000_000)),
    )
}
