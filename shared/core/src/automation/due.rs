//! [`Conditions::next_change`]: changes of conditions by time alone.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::{
    AutomationCursor, Conditions, Evaluation,
    node::{Kind, Node},
};
use crate::{
    cron::CronSchedule,
    graph::{AssetId, AssetSet},
    partitions::{PartitionContext, PartitionsDefinition, TimeWindowPartitions},
};

/// The number of ticks of a cadence that are examined for the next window.
const LOOKED_AT: usize = 50;

impl Conditions<'_> {
    /// Returns the assets whose facts an evaluation needs: those with a condition, and those that a
    /// part of one refers to.
    pub fn target_assets(&self) -> AssetSet {
        let mut targets = AssetSet::new();
        for (root, node) in &self.roots {
            targets.insert(*root);
            visit_nodes(node, &mut |node| {
                targets.insert(node.target.asset());
            });
        }
        targets
    }

    /// Returns the next moment, after that of the context, at which a condition may change without
    /// any event: a tick of a schedule in a condition, or the end of a time window, which adds a
    /// partition. `None` when time changes nothing.
    ///
    /// The moment may be early, in which case the evaluation finds nothing, and is never late.
    pub fn next_change(&self, context: &PartitionContext) -> Option<DateTime<Utc>> {
        // Either a schedule ticks, or a window that a condition depends on closes.
        let ticks = self
            .schedules
            .iter()
            .filter_map(|schedule| schedule.next_tick(context.now));
        let windows = self.by_window().into_iter().filter_map(|asset| {
            let definition = self.graph.partitions(asset)?;
            next_partition(definition, context.now)
        });
        ticks.chain(windows).min()
    }

    /// Returns `true` if an evaluation requested nothing and changed nothing but its time. Its
    /// cursor need not be stored: the next evaluation can continue from the one before. The caller
    /// has to check for new updates, since it knows the end of each asset's log.
    pub fn is_idle(&self, before: &AutomationCursor, evaluation: &Evaluation) -> bool {
        let next = &evaluation.cursor;
        let same = |(key, cursor): (&_, &super::cursor::AssetCursor)| {
            next.assets.get(key).is_some_and(|next| {
                // Without a stored cursor, the tick would count again in the next evaluation.
                let ticked = |schedule: &super::schedule::Schedule| {
                    schedule
                        .last_tick(next.evaluated_at)
                        .is_some_and(|tick| tick >= cursor.evaluated_at)
                };
                next.requested == cursor.requested
                    && next.nodes == cursor.nodes
                    && !self.schedules.iter().any(ticked)
            })
        };
        evaluation.requested.is_empty()
            && before.shapes == next.shapes
            && before.assets.len() == next.assets.len()
            && before.assets.iter().all(same)
    }

    /// Returns the assets for which a new partition may make a condition true.
    fn by_window(&self) -> BTreeSet<AssetId> {
        let mut assets = BTreeSet::new();
        for (root, node) in &self.roots {
            assets.insert(*root);
            visit_nodes(node, &mut |node| {
                if matches!(node.kind, Kind::Missing | Kind::InLatestTimeWindow(_)) {
                    assets.insert(node.target.asset());
                }
            });
        }
        assets
    }
}

/// Visits a node and everything under it.
fn visit_nodes(node: &Node, visit: &mut dyn FnMut(&Node)) {
    visit(node);
    let children: &[Node] = match &node.kind {
        Kind::Matches(_, child)
        | Kind::DownstreamOf(child)
        | Kind::Not(child)
        | Kind::NewlyTrue(child) => std::slice::from_ref(child),
        // Two children that are not in one slice: the first is visited here.
        Kind::Since(trigger, reset) => {
            visit_nodes(trigger, visit);
            std::slice::from_ref(reset)
        }
        Kind::AnyOf(_, children)
        | Kind::AllOf(children)
        | Kind::Downstream(children)
        | Kind::And(children)
        | Kind::Or(children) => children,
        _ => &[],
    };
    for child in children {
        visit_nodes(child, visit);
    }
}

/// Returns the moment at which time adds the next partition.
fn next_partition(definition: &PartitionsDefinition, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    match definition {
        PartitionsDefinition::TimeWindow(windows) => next_window(windows, now),
        PartitionsDefinition::Multi(multi) => next_window(multi.time_dimension()?.1, now),
        PartitionsDefinition::Static(_) | PartitionsDefinition::Dynamic(_) => None,
    }
}

/// Returns the moment at which the next time window exists.
fn next_window(windows: &TimeWindowPartitions, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let count = windows.count(now);
    let cadence =
        CronSchedule::from_expression(windows.cron_expression().clone(), windows.timezone());
    let grown = |moment: &DateTime<Utc>| *moment > now && windows.count(*moment) > count;
    // With an end offset, the first window may exist before its start: begin that much earlier.
    let ahead = usize::try_from(windows.end_offset().max(0)).unwrap_or_default() + 1;
    let first = cadence.ticks_until(windows.start()).nth(ahead);
    let from = first.map_or(now, |first| now.max(first.at()));
    let mut last = None;
    for tick in cadence.ticks_from(from).take(LOOKED_AT) {
        // Windows come to exist at ticks, whatever the offset.
        if grown(&tick.at()) {
            return Some(tick.at());
        }
        last = Some(tick.at());
    }
    // Many windows in a row are excluded: look again later, unless the definition has ended.
    last.filter(|last| windows.end().is_none_or(|end| end > *last))
}
