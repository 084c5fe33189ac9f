//! When conditions change with time alone: [`Conditions::next_change`].

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    AutomationCursor, Conditions, Evaluation,
    node::{Kind, Node},
};
use crate::{
    cron::CronSchedule,
    graph::{AssetId, AssetSet},
    partitions::{PartitionContext, PartitionsDefinition, TimeWindowPartitions},
};

/// How many ticks of a cadence are looked at for the next window.
const LOOKED_AT: usize = 50;

impl Conditions<'_> {
    /// The assets that the conditions are asked of: those that carry one and those that some part of
    /// one looks at. Nothing else has to be known to evaluate them.
    pub fn targets(&self) -> AssetSet {
        let mut targets = AssetSet::new();
        for (root, node) in &self.roots {
            targets.insert(*root);
            walk(node, &mut |node| {
                targets.insert(node.target.asset());
            });
        }
        targets
    }

    /// The next moment after that of the context at which a condition may be true of other partitions
    /// although nothing happens: a schedule that one waits for ticks, or a time window closes, so that
    /// there is one partition more. `None` when time changes nothing.
    ///
    /// It may be early (the evaluation finds nothing then), and is never late.
    pub fn next_change(&self, context: &PartitionContext) -> Option<DateTime<Utc>> {
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

    /// Whether an evaluation decided nothing and leaves nothing but a later moment: it need not be
    /// stored, and the next one goes on from the cursor before it. What landed meanwhile has to be
    /// looked at by the caller, who knows where each asset's log ends.
    pub fn is_idle(&self, before: &AutomationCursor, evaluation: &Evaluation) -> bool {
        let next = &evaluation.cursor;
        let same = |(key, cursor): (&_, &super::cursor::AssetCursor)| {
            next.assets.get(key).is_some_and(|next| {
                // A tick that is not put down would have passed in the next evaluation again.
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

    /// The assets of which a new partition may make a condition true.
    fn by_window(&self) -> BTreeSet<AssetId> {
        let mut assets = BTreeSet::new();
        for (root, node) in &self.roots {
            assets.insert(*root);
            walk(node, &mut |node| {
                if matches!(node.kind, Kind::Missing | Kind::InLatestTimeWindow(_)) {
                    assets.insert(node.target.asset());
                }
            });
        }
        assets
    }
}

fn walk(node: &Node, visit: &mut dyn FnMut(&Node)) {
    visit(node);
    let children: &[Node] = match &node.kind {
        Kind::Matches(_, child)
        | Kind::DownstreamOf(child)
        | Kind::Not(child)
        | Kind::NewlyTrue(child) => std::slice::from_ref(child),
        Kind::Since(trigger, reset) => {
            walk(trigger, visit);
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
        walk(child, visit);
    }
}

/// When the next partition comes into being by time.
fn next_partition(definition: &PartitionsDefinition, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    match definition {
        PartitionsDefinition::TimeWindow(windows) => next_window(windows, now),
        PartitionsDefinition::Multi(multi) => next_window(multi.time_dimension()?.1, now),
        PartitionsDefinition::Static(_) | PartitionsDefinition::Dynamic(_) => None,
    }
}

fn next_window(windows: &TimeWindowPartitions, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let count = windows.count(now);
    let cadence = CronSchedule::of(windows.cron_expression().clone(), windows.timezone());
    let grown = |moment: &DateTime<Utc>| *moment > now && windows.count(*moment) > count;
    // With an offset the first window may be there before its start.
    let ahead = usize::try_from(windows.end_offset().max(0)).unwrap_or_default() + 1;
    let first = cadence.ticks_until(windows.start()).nth(ahead);
    let from = first.map_or(now, |first| now.max(first.at()));
    let mut last = None;
    for tick in cadence.ticks_from(from).take(LOOKED_AT) {
        // A window that comes before its end is there once the tick is past.
        let moments = [tick.at(), tick.at() + TimeDelta::seconds(1)];
        if let Some(found) = moments.into_iter().find(grown) {
            return Some(found);
        }
        last = Some(tick.at());
    }
    // So many are left out that it is better to look again then, unless there are no more.
    last.filter(|last| windows.end().is_none_or(|end| end > *last))
}
