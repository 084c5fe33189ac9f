//! The automation conditions of a project: from an evaluation to runs.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use precip_core::{
    graph::AssetGraph,
    key::AssetKey,
    partitions::{PartitionContext, PartitionSet},
};

use super::{RunRequest, TriggerError, TriggerPorts, objects::new_run, text::partitions_text};
use crate::{
    automation::{AutomationTick, StoredCursor, evaluate_automation, trigger},
    state::{Advance, CreatedRun, MAX_RUNS_PER_TICK, NewRun, TickRequest},
};

/// The most characters that a tick keeps of its explanations.
const MOST_EXPLAINED: usize = 16_000;

/// What came of an evaluation of the automation conditions.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AutomationRuns {
    /// What was asked for, by asset.
    pub requested: BTreeMap<AssetKey, PartitionSet>,
    /// The runs, new or not.
    pub runs: Vec<CreatedRun>,
    /// When the conditions have to be evaluated again although nothing happens; `None` when time
    /// changes nothing, or automation is off.
    pub next: Option<DateTime<Utc>>,
}

/// Evaluates the automation conditions of a project, requests what they ask for, and keeps the
/// explanation with the tick. Assets that are divided in one way and of which the same partitions
/// are asked for share a run.
///
/// It reads changes in the order of the record, from where the last evaluation ended: however late,
/// often and at the same time it is invoked, each change is seen once. An evaluation that finds nothing
/// new and decides nothing is not put down.
///
/// # Errors
/// [`TriggerError`]: nothing was requested; invoke it again.
pub async fn run_automation(ports: &TriggerPorts) -> Result<AutomationRuns, TriggerError> {
    let trigger = trigger();
    let graph = ports.definitions.graph();
    let mut outcome = AutomationRuns::default();
    if graph.ids().all(|id| graph.asset(id).automation.is_none()) {
        return Ok(outcome);
    }
    let mut attempt = 0;
    loop {
        let state = ports.settled(&trigger).await?;
        if state.enabled == Some(false) {
            return Ok(outcome);
        }
        let context = ports.context().await?;
        let stored = StoredCursor::of(&state)?;
        let resumed = !stored.pending.is_empty();
        // What did not fit into the last tick comes before anything new.
        let (cursor, seen, requested, note, mut pending) = if resumed {
            let StoredCursor {
                cursor,
                seen,
                pending,
            } = stored;
            (cursor, seen, BTreeMap::new(), None, pending)
        } else {
            let tick = evaluate_automation(&ports.definitions, &ports.state, &context).await?;
            if tick.revision != state.revision {
                ports.wait_again(&trigger, &mut attempt).await?;
                continue;
            }
            outcome.next = tick.next;
            if tick.idle {
                return Ok(outcome);
            }
            let groups = groups(graph, &tick.evaluation.requested);
            let note = explained(graph, &tick, &context);
            (
                tick.evaluation.cursor,
                tick.seen,
                tick.evaluation.requested,
                note,
                groups,
            )
        };
        let now: Vec<Group> = pending
            .drain(..pending.len().min(MAX_RUNS_PER_TICK))
            .collect();
        let more = !pending.is_empty();
        let runs: Vec<NewRun> = now
            .iter()
            .enumerate()
            .filter_map(|(place, (assets, set))| {
                let first = assets.first().and_then(|asset| graph.id(asset))?;
                let definition = graph.partitions(first);
                let partitions = definition.map(|d| partitions_text(d, set, &context));
                let key = format!("{}#{place}", state.revision);
                let target = Some(selection(assets));
                let request = RunRequest::new();
                Some(new_run(
                    ports,
                    &trigger,
                    target,
                    &request,
                    &key,
                    partitions,
                    context.now,
                ))
            })
            .collect();
        let advance = Advance {
            revision: state.revision,
            cursor: Some(write(StoredCursor {
                cursor,
                seen,
                pending,
            })?),
            at: context.now,
            scheduled_for: None,
            request: match runs.is_empty() {
                true => TickRequest::Skip { reason: None },
                false => TickRequest::Runs(runs),
            },
            note,
        };
        let Some(runs) = ports.advance(&trigger, advance).await? else {
            ports.wait_again(&trigger, &mut attempt).await?;
            continue;
        };
        attempt = 0;
        for (asset, set) in requested {
            *outcome.requested.entry(asset).or_default() |= &set;
        }
        outcome.runs.extend(runs);
        if !more && !resumed {
            return Ok(outcome);
        }
    }
}

/// Assets that share a run, and their partitions.
type Group = (BTreeSet<AssetKey>, PartitionSet);

fn groups(graph: &AssetGraph, requested: &BTreeMap<AssetKey, PartitionSet>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for asset in graph.topological() {
        let key = graph.key(*asset);
        let Some(set) = requested.get(key) else {
            continue;
        };
        let shares = |(assets, other): &&mut Group| {
            let first = assets.first().and_then(|first| graph.id(first));
            other == set
                && first.is_some_and(|first| graph.partitions(first) == graph.partitions(*asset))
        };
        match groups.iter_mut().find(shares) {
            Some((assets, _)) => {
                assets.insert(key.clone());
            }
            None => groups.push(([key.clone()].into(), set.clone())),
        }
    }
    groups
}

fn selection(assets: &BTreeSet<AssetKey>) -> String {
    let keys: Vec<String> = assets.iter().map(|key| format!("key:\"{key}\"")).collect();
    keys.join(" or ")
}

fn write(stored: StoredCursor) -> Result<String, TriggerError> {
    serde_json::to_string(&stored).map_err(|error| TriggerError::Cursor {
        trigger: trigger().to_string(),
        problem: error.to_string(),
    })
}

/// Why each asset is asked for, and why those are not of which something upstream is new; as far as
/// there is room.
fn explained(
    graph: &AssetGraph,
    tick: &AutomationTick,
    context: &PartitionContext,
) -> Option<String> {
    let requested = &tick.evaluation.requested;
    let concerned = |asset: &&AssetKey| {
        let id = graph.id(asset);
        let mut upstream = id.into_iter().flat_map(|id| graph.upstream(id));
        upstream.any(|edge| tick.updated.contains(graph.key(edge.asset)))
    };
    let held = tick.evaluation.explanations.keys().filter(concerned);
    let held = held.filter(|asset| !requested.contains_key(*asset));
    let mut text = String::new();
    for asset in requested.keys().chain(held) {
        let Some(explanation) = tick.evaluation.explanations.get(asset) else {
            continue;
        };
        let one = format!("{asset}\n{}\n", explanation.render(graph, context));
        if text.len() + one.len() > MOST_EXPLAINED {
            text.push_str("(more assets: `automation explain ASSET`)\n");
            break;
        }
        text.push_str(&one);
    }
    (!text.is_empty()).then_some(text)
}
