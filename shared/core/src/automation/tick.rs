//! [`Conditions::evaluate_tick`]: evaluating every condition of a graph on one snapshot.

use std::{
    cell::RefCell,
    collections::{BTreeMap, HashMap},
    rc::Rc,
};

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    AutomationCursor, Conditions, EvaluationError, Explanation, Ordering, Snapshot,
    cursor::{AssetCursor, Shape},
    due::visit_nodes,
    evaluate::Evaluator,
    node::{Kind, Node},
};
use crate::{
    graph::AssetId,
    key::AssetKey,
    partitions::{PartitionContext, PartitionSet, PartitionsDefinition, TimeWindowPartitions},
};

/// The result of one tick.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// The partitions to materialize, by asset, without assets that have none.
    pub requested: BTreeMap<AssetKey, PartitionSet>,
    /// The cursor for the next tick.
    pub cursor: AutomationCursor,
    /// The explanation of each asset with a condition.
    pub explanations: BTreeMap<AssetKey, Explanation>,
}

impl Conditions<'_> {
    /// Evaluates every condition. The assets are evaluated in the order of the graph, so that a
    /// condition sees the requests of upstream assets in the same tick; the assets of an op without
    /// `can_subset` are requested together.
    ///
    /// A request is made once if the caller makes the requests before it stores the cursor, under a
    /// run key that follows from the cursor that the tick started from: a tick that is repeated
    /// after a crash then requests the same runs.
    ///
    /// # Errors
    /// [`EvaluationError`] when partitions of two assets cannot be matched.
    pub fn evaluate_tick(
        &self,
        snapshot: &Snapshot,
        cursor: &AutomationCursor,
        context: &PartitionContext,
    ) -> Result<Evaluation, EvaluationError> {
        let mut tick = Tick::new(self, snapshot, cursor, context);
        let mut next = AutomationCursor::default();
        let mut explanations = BTreeMap::new();
        for (asset, node) in &self.roots {
            let key = self.graph.key(*asset);
            let previous = cursor.assets.get(key).filter(|_| tick.same_shape(*asset));
            // A cursor whose ordinals mean other keys is ignored: the asset starts as if it were
            // new.
            let mut waiting = PartitionSet::empty();
            if self.ordering == Ordering::Sequence {
                let before = previous.map(|previous| &previous.waiting);
                waiting = tick.waiting_partitions(*asset, before, node)?;
            }
            let mut evaluator = Evaluator::new(&tick, *asset, previous, &waiting);
            let mut explanation = evaluator.evaluate_root(node)?;
            let evaluated_at = evaluator.evaluated_at();
            let mut nodes = evaluator.into_states();
            nodes.retain(|_, state| !state.is_empty());
            if self.ordering == Ordering::Sequence {
                let held = tick.without_upstream(*asset, &explanation.partitions)?;
                explanation.hold_back(&held);
            }
            next.assets.insert(
                key.clone(),
                AssetCursor {
                    evaluated_at,
                    sequence: snapshot.sequence(),
                    requested: explanation.partitions.clone(),
                    waiting,
                    nodes,
                },
            );
            // Before the next asset, whose condition may ask what will be requested.
            tick.add_request(*asset, &explanation.partitions);
            explanations.insert(key.clone(), explanation);
        }
        // With the shapes of all assets, since nodes keep sets of upstream assets as well.
        next.shapes = tick.take_shapes();
        let requested = tick.requested.iter().zip(self.graph.ids());
        let requested = requested
            .filter(|(partitions, _)| !partitions.is_empty())
            .map(|(partitions, id)| (self.graph.key(id).clone(), partitions.clone()))
            .collect();
        Ok(Evaluation {
            requested,
            cursor: next,
            explanations,
        })
    }
}

/// The latest partitions, by asset and lookback.
type LatestWindows = HashMap<(AssetId, Option<TimeDelta>), Rc<PartitionSet>>;

/// The state that all conditions of one tick share.
pub(super) struct Tick<'a> {
    pub(super) conditions: &'a Conditions<'a>,
    pub(super) snapshot: &'a Snapshot,
    pub(super) context: &'a PartitionContext,
    cursor: &'a AutomationCursor,
    /// All partitions, by asset.
    all: Vec<Rc<PartitionSet>>,
    shapes: Vec<Shape>,
    /// `true` if the ordinals in the cursor still mean the same keys, by asset.
    same_shape: Vec<bool>,

    /// The requests of this tick so far, by asset.
    pub(super) requested: Vec<PartitionSet>,
    cron_ticks: Vec<Option<DateTime<Utc>>>,
    latest: RefCell<LatestWindows>,
}

impl<'a> Tick<'a> {
    fn new(
        conditions: &'a Conditions<'a>,
        snapshot: &'a Snapshot,
        cursor: &'a AutomationCursor,
        context: &'a PartitionContext,
    ) -> Self {
        let graph = conditions.graph;
        // Assets share definitions: each is computed once.
        let mut known: HashMap<*const PartitionsDefinition, (Rc<PartitionSet>, Shape)> =
            HashMap::new();
        let unpartitioned = Rc::new(PartitionSet::single(0));
        let (all, shapes): (Vec<_>, Vec<_>) = graph
            .ids()
            .map(|id| match graph.partitions(id) {
                None => (Rc::clone(&unpartitioned), Shape::Unpartitioned),
                Some(definition) => known
                    .entry(std::ptr::from_ref(definition))
                    .or_insert_with(|| {
                        let all = Rc::new(definition.all(context));
                        let shape = Shape::from_partitions(Some(definition), &all, context);
                        (all, shape)
                    })
                    .clone(),
            })
            .unzip();
        let same_shape = graph
            .ids()
            .zip(&shapes)
            .map(|(id, shape)| {
                cursor.shapes.get(graph.key(id)).is_some_and(|before| {
                    before == shape || before.still_holds(graph.partitions(id), context)
                })
            })
            .collect();
        let cron_ticks = conditions
            .schedules
            .iter()
            .map(|schedule| schedule.last_tick(context.now))
            .collect();
        Self {
            conditions,
            snapshot,
            context,
            cursor,
            all,
            shapes,
            same_shape,
            requested: vec![PartitionSet::empty(); graph.len()],
            cron_ticks,
            latest: RefCell::default(),
        }
    }

    /// Returns all partitions of an asset.
    pub(super) fn all(&self, asset: AssetId) -> Rc<PartitionSet> {
        Rc::clone(&self.all[asset.0 as usize])
    }

    /// Returns `true` if the ordinals in the cursor still mean the same keys.
    pub(super) fn same_shape(&self, asset: AssetId) -> bool {
        self.same_shape[asset.0 as usize]
    }

    /// Returns the requests of an asset's condition in the tick before.
    pub(super) fn requested_before(&self, asset: AssetId) -> Option<&'a PartitionSet> {
        let cursor = self.cursor.assets.get(self.conditions.graph.key(asset));
        cursor
            .filter(|_| self.same_shape(asset))
            .map(|cursor| &cursor.requested)
    }

    /// Returns the partitions in `set` that an asset, or one that its op makes together with it, cannot
    /// make because an upstream partition does not exist.
    fn without_upstream(
        &self,
        asset: AssetId,
        set: &PartitionSet,
    ) -> Result<PartitionSet, EvaluationError> {
        let conditions = self.conditions;
        let together = &conditions.together[asset.0 as usize];
        let mut without = PartitionSet::empty();
        for member in std::iter::once(&asset).chain(together) {
            for edge in conditions.graph.upstream(*member) {
                let ends = (*member, edge.asset);
                without |= &self.without_upstream_of(asset, ends, set)?;
            }
        }
        Ok(without)
    }

    /// Returns the latest windows that a condition considers; none if it does not ask for them.
    fn latest_of_condition(&self, asset: AssetId, node: &Node) -> PartitionSet {
        let mut latest = PartitionSet::empty();
        if time_windows(self.conditions.graph.partitions(asset)).is_some() {
            visit_nodes(node, &mut |node| {
                if let Kind::InLatestTimeWindow(lookback) = node.kind
                    && node.target.asset() == asset
                {
                    latest |= &self.latest_partitions(asset, lookback);
                }
            });
        }
        latest
    }

    /// Returns the partitions that count as latest although later windows exist: those that could not
    /// be made while they were the latest, until they are materialized and a later one can be made.
    fn waiting_partitions(
        &self,
        asset: AssetId,
        before: Option<&PartitionSet>,
        node: &Node,
    ) -> Result<PartitionSet, EvaluationError> {
        let latest = self.latest_of_condition(asset, node);
        let mut waiting = before.cloned().unwrap_or_default();
        waiting &= self.all[asset.0 as usize].as_ref();
        let held = self.without_upstream(asset, &(&waiting | &latest))?;
        let possible = &(&waiting | &latest) - &held;
        waiting |= &(&latest & &held);
        let newest = newest_windows(self.conditions.graph.partitions(asset), &possible);
        let made = &self.snapshot.asset_facts(asset).materialized & &possible;
        Ok(&waiting - &(&made - &newest))
    }

    /// Returns the windows of a set that are beyond the last one: an evaluator whose clock is ahead
    /// has seen them, and they are no news when they exist here as well.
    pub(super) fn windows_beyond(&self, asset: AssetId, set: &PartitionSet) -> PartitionSet {
        match time_windows(self.conditions.graph.partitions(asset)) {
            Some(_) => set - self.all[asset.0 as usize].as_ref(),
            None => PartitionSet::empty(),
        }
    }

    /// Returns the last tick of a schedule at or before now.
    pub(super) fn cron_tick(&self, schedule: usize) -> Option<DateTime<Utc>> {
        self.cron_ticks[schedule]
    }

    /// Adds requested partitions of an asset, and of the assets that are materialized with it.
    fn add_request(&mut self, asset: AssetId, partitions: &PartitionSet) {
        if partitions.is_empty() {
            return;
        }
        self.requested[asset.0 as usize] |= partitions;
        let conditions = self.conditions;
        for neighbour in &conditions.together[asset.0 as usize] {
            self.requested[neighbour.0 as usize] |= partitions;
        }
    }

    /// Takes the shapes of all assets for the cursor.
    fn take_shapes(self: &mut Tick<'a>) -> BTreeMap<AssetKey, Shape> {
        let graph = self.conditions.graph;
        let shapes = std::mem::take(&mut self.shapes);
        graph
            .ids()
            .map(|id| graph.key(id).clone())
            .zip(shapes)
            .collect()
    }

    /// Returns the partitions in the latest time window, or those that start within `lookback`
    /// before its end.
    pub(super) fn latest_partitions(
        &self,
        asset: AssetId,
        lookback: Option<TimeDelta>,
    ) -> Rc<PartitionSet> {
        // Many conditions ask for the same windows: they are computed once a tick.
        if let Some(known) = self.latest.borrow().get(&(asset, lookback)) {
            return Rc::clone(known);
        }
        let latest = match self.conditions.graph.partitions(asset) {
            Some(PartitionsDefinition::TimeWindow(windows)) => {
                Rc::new(latest_windows(windows, lookback, self.context.now))
            }
            Some(PartitionsDefinition::Multi(multi)) => match multi.time_dimension() {
                Some((name, windows)) => {
                    let latest = latest_windows(windows, lookback, self.context.now);
                    let sets: Vec<PartitionSet> = multi
                        .dimensions()
                        .map(|(dimension, definition)| {
                            if dimension == name {
                                latest.clone()
                            } else {
                                definition.all(self.context)
                            }
                        })
                        .collect();
                    Rc::new(multi.product(&sets))
                }
                None => self.all(asset),
            },
            _ => self.all(asset),
        };
        self.latest
            .borrow_mut()
            .insert((asset, lookback), Rc::clone(&latest));
        latest
    }
}

/// Returns the time windows of a definition that grows by them alone.
fn time_windows(definition: Option<&PartitionsDefinition>) -> Option<&TimeWindowPartitions> {
    match definition? {
        PartitionsDefinition::TimeWindow(windows) => Some(windows),
        PartitionsDefinition::Multi(multi) => {
            let is_dynamic = |definition| matches!(definition, &PartitionsDefinition::Dynamic(_));
            let mut dimensions = multi.dimensions();
            let (_, windows) = multi.time_dimension()?;
            (!dimensions.any(|(_, definition)| is_dynamic(definition))).then_some(windows)
        }
        PartitionsDefinition::Static(_) | PartitionsDefinition::Dynamic(_) => None,
    }
}

/// Returns the partitions of the last window in a set.
fn newest_windows(definition: Option<&PartitionsDefinition>, set: &PartitionSet) -> PartitionSet {
    let Some(PartitionsDefinition::Multi(multi)) = definition else {
        return set.last().map(PartitionSet::single).unwrap_or_default();
    };
    let time = multi.time_dimension();
    let sides = (0..multi.dimensions().len()).map(|position| {
        let side = multi.project(set, position);
        if time.is_some_and(|(name, _)| multi.position(name) == Some(position)) {
            side.last().map(PartitionSet::single).unwrap_or_default()
        } else {
            side
        }
    });
    &multi.product(&sides.collect::<Vec<_>>()) & set
}

/// Returns the latest time window, or those that start within `lookback` before its end.
fn latest_windows(
    windows: &TimeWindowPartitions,
    lookback: Option<TimeDelta>,
    now: DateTime<Utc>,
) -> PartitionSet {
    let Some(last) = windows.count(now).checked_sub(1) else {
        return PartitionSet::empty();
    };
    let Some((lookback, window)) = lookback.zip(windows.window(last)) else {
        return PartitionSet::single(last);
    };
    let mut latest = windows.overlapping_ordinals(window.end - lookback..window.end);
    // A window that began before the span overlaps it, but does not start in it.
    if let Some(first) = latest.first()
        && windows
            .window(first)
            .is_some_and(|first| first.start < window.end - lookback)
    {
        latest.remove(first);
    }
    latest
}
