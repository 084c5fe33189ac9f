//! The automation conditions of a project: from their evaluation to runs.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use precip_core::{
    graph::AssetGraph,
    key::AssetKey,
    partitions::{PartitionContext, PartitionSet},
    plan::PlanBasis,
};

use super::{RunRequest, TriggerError, TriggerPorts, new_run::new_run, text::partitions_text};
use crate::{
    automation::{AutomationTick, StoredCursor, automation_trigger, evaluate_automation},
    state::{Advance, CreatedRun, MAX_RUNS_PER_TICK, NewRun, TickRequest},
};

/// Maximum size of the explanations that a tick keeps, in bytes.
const MOST_EXPLAINED: usize = 16_000;

/// The outcome of an evaluation of the automation conditions.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AutomationRuns {
    /// The requested partitions, by asset.
    pub requested: BTreeMap<AssetKey, PartitionSet>,
    /// The requested runs; a repeated request returns the existing run.
    pub runs: Vec<CreatedRun>,
    /// Time of the next evaluation even if nothing changes; `None` when time alone changes nothing, or
    /// automation is off.
    pub next: Option<DateTime<Utc>>,
}

/// Evaluates the automation conditions of a project, requests runs, and records the explanation with
/// the tick. Assets that are partitioned alike share a run if the same partitions of them are
/// requested.
///
/// Changes are read in the order in which they were recorded, from the position of the last
/// evaluation: each is seen once, however late, often and concurrently this is invoked. An evaluation
/// without changes and decisions is not recorded.
///
/// # Errors
/// [`TriggerError`]: nothing was requested; invoke it again.
pub async fn run_automation(ports: &TriggerPorts) -> Result<AutomationRuns, TriggerError> {
    let trigger = automation_trigger();
    let graph = ports.definitions.graph();
    let mut outcome = AutomationRuns::default();
    if graph.ids().all(|id| graph.asset(id).automation.is_none()) {
        return Ok(outcome);
    }
    let mut attempt = 0;
    loop {
        let state = ports.launched_state(&trigger).await?;
        if state.enabled == Some(false) {
            return Ok(outcome);
        }
        let context = ports.current_context().await?;
        let stored = StoredCursor::of_trigger(&state)?;
        let resumed = !stored.pending.is_empty();
        // Runs that did not fit into the last tick come before a new evaluation: its decisions assume
        // that they were requested.
        let (cursor, seen, requested, note, mut pending) = if resumed {
            let pending = renumber_groups(graph, &stored, &context);
            (stored.cursor, stored.seen, BTreeMap::new(), None, pending)
        } else {
            let tick = evaluate_automation(&ports.definitions, &ports.state, &context).await?;
            // The conditions were evaluated from a state that is newer than the one read here.
            if tick.revision != state.revision {
                ports.back_off(&trigger, &mut attempt).await?;
                continue;
            }
            outcome.next = tick.next;
            if tick.idle {
                return Ok(outcome);
            }
            let groups = group_by_run(graph, &tick.evaluation.requested);
            let note = explain_tick(graph, &tick, &context);
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
            .filter_map(|(index, (assets, set))| {
                let first = assets.first().and_then(|asset| graph.id(asset))?;
                let definition = graph.partitions(first);
                let partitions = definition.map(|d| partitions_text(d, set, &context));
                // The revision makes the key unique: it moves with every recorded tick.
                let key = format!("{}#{index}", state.revision);
                let target = Some(select_assets(assets));
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
            cursor: Some(write_cursor(StoredCursor {
                cursor,
                seen,
                basis: basis_of_groups(graph, &pending),
                pending,
            })?),
            at: context.now,
            scheduled_for: None,
            request: if runs.is_empty() {
                TickRequest::Skip { reason: None }
            } else {
                TickRequest::Runs(runs)
            },
            note,
        };
        let Some(runs) = ports.advance_and_launch(&trigger, advance).await? else {
            ports.back_off(&trigger, &mut attempt).await?;
            continue;
        };
        attempt = 0;
        for (asset, set) in requested {
            *outcome.requested.entry(asset).or_default() |= &set;
        }
        outcome.runs.extend(runs);
        // After pending runs, the conditions are evaluated again: changes since then are still unread.
        if !more && !resumed {
            return Ok(outcome);
        }
    }
}

/// Assets that share a run, with their partitions.
type Group = (BTreeSet<AssetKey>, PartitionSet);

/// Groups requested assets by run: those of the same partitions, partitioned alike.
fn group_by_run(graph: &AssetGraph, requested: &BTreeMap<AssetKey, PartitionSet>) -> Vec<Group> {
    // In topological order, so that the assets of a run are named from upstream to downstream.
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

/// Returns the definitions that the partitions of some groups are numbered by.
fn basis_of_groups(graph: &AssetGraph, groups: &[Group]) -> PlanBasis {
    let mut basis = PlanBasis::default();
    for asset in groups.iter().flat_map(|(assets, _)| assets) {
        basis.add_partitions(graph, asset);
    }
    basis
}

/// Returns the pending requests of a cursor in the ordinals of the definitions now: a deployment may
/// lie between two ticks. Partitions without a key now are dropped.
fn renumber_groups(
    graph: &AssetGraph,
    stored: &StoredCursor,
    context: &PartitionContext,
) -> Vec<Group> {
    let mut groups = Vec::new();
    for (assets, set) in &stored.pending {
        // Assets that were partitioned alike may not be so now.
        let mut requested = BTreeMap::new();
        for asset in assets {
            let set = stored.basis.translate_ordinals(graph, asset, set, context);
            if !set.is_empty() {
                requested.insert(asset.clone(), set);
            }
        }
        groups.extend(group_by_run(graph, &requested));
    }
    groups
}

/// Returns the selection of some assets.
fn select_assets(assets: &BTreeSet<AssetKey>) -> String {
    let keys: Vec<String> = assets.iter().map(|key| format!("key:\"{key}\"")).collect();
    keys.join(" or ")
}

fn write_cursor(stored: StoredCursor) -> Result<String, TriggerError> {
    serde_json::to_string(&stored).map_err(|error| TriggerError::Cursor {
        trigger: automation_trigger().to_string(),
        problem: error.to_string(),
    })
}

/// Explains the decision about each requested asset, and about each asset that has a new upstream
/// materialization and is not requested; as many as the tick keeps.
fn explain_tick(
    graph: &AssetGraph,
    tick: &AutomationTick,
    context: &PartitionContext,
) -> Option<String> {
    let requested = &tick.evaluation.requested;
    let has_new_upstream = |asset: &&AssetKey| {
        let id = graph.id(asset);
        let mut upstream = id.into_iter().flat_map(|id| graph.upstream(id));
        upstream.any(|edge| tick.updated.contains(graph.key(edge.asset)))
    };
    let not_requested = tick
        .evaluation
        .explanations
        .keys()
        .filter(has_new_upstream)
        .filter(|asset| !requested.contains_key(*asset));
    let mut text = String::new();
    for asset in requested.keys().chain(not_requested) {
        let Some(explanation) = tick.evaluation.explanations.get(asset) else {
            continue;
        };
        let one = format!("{asset}\n{}\n", explanation.render_tree(graph, context));
        if text.len() + one.len() > MOST_EXPLAINED {
            text.push_str("(more assets: `automation explain ASSET`)\n");
            break;
        }
        text.push_str(&one);
    }
    (!text.is_empty()).then_some(text)
}
