//! From the record to a [`Snapshot`].

use std::collections::BTreeMap;

use precip_core::{
    automation::{RunFacts, RunRef, Snapshot, Update},
    graph::{AssetGraph, AssetId},
    partitions::{PartitionContext, PartitionSet},
};

use super::{history::data_version_changed, questions::Questions};
use crate::{
    run_id::RunId,
    state::{
        CheckEvaluation, CheckOutcome, Materialization, PageRequest, PartitionRef, Sequence,
        StateResult, StateStore,
    },
};

/// How many latest records are read at a time.
const PAGE: usize = 1_000;

/// Reads what is true of the record.
///
/// A store keeps the latest materialization of a partition, so a partition that was made twice since
/// the last tick counts as updated once, with what is known of the later time. The numbers that the
/// store gives its changes ([`Sequence`]) are the order of events that conditions need.
pub(super) async fn snapshot(
    graph: &AssetGraph,
    state: &dyn StateStore,
    seen: Option<u64>,
    context: &PartitionContext,
) -> StateResult<Snapshot> {
    let questions = Questions::of(graph);
    let mut snapshot = Snapshot::new(graph);
    let mut made: Vec<(Sequence, AssetId, Materialization)> = Vec::new();
    for asset in graph.ids() {
        let statuses = state.statuses(graph.key(asset)).await?;
        let facts = snapshot.asset_mut(asset);
        facts.materialized = statuses.materialized;
        facts.failed = statuses.failed;
        facts.run_in_progress = statuses.in_progress;
        made.extend(latest(graph, state, asset, context).await?);
    }
    made.sort_by_key(|(sequence, ..)| *sequence);
    let mut runs = Runs::default();
    for (sequence, asset, made) in &made {
        let run = match questions.runs {
            true => runs.reference(&mut snapshot, state, made.run).await?,
            false => None,
        };
        // What every asset has seen is not asked about again.
        let asked = questions.data_versions && seen.is_none_or(|seen| sequence.0 > seen);
        let update = Update {
            began: Some(made.started_at),
            run,
            data_version_changed: !asked || data_version_changed(state, made).await?,
            ..Update::new(
                sequence.0,
                made.finished_at,
                PartitionSet::single(made.target.ordinal),
            )
        };
        snapshot.record(*asset, update);
    }
    if questions.checks {
        for (sequence, asset, made) in &made {
            if graph.checks_of(*asset).len() > 0 {
                let found = state.latest_checks(&made.target).await?;
                found
                    .iter()
                    .for_each(|found| check(&mut snapshot, *sequence, made, found));
            }
        }
    }
    Ok(snapshot)
}

/// The latest materialization of each partition that the asset still has.
async fn latest(
    graph: &AssetGraph,
    state: &dyn StateStore,
    asset: AssetId,
    context: &PartitionContext,
) -> StateResult<Vec<(Sequence, AssetId, Materialization)>> {
    let mut found = Vec::new();
    let mut page = PageRequest::first(PAGE);
    loop {
        let latest = state.latest_all(graph.key(asset), &page).await?;
        for (target, latest) in latest.items {
            if let Some((made, sequence)) = latest.materialization
                && belongs(graph, asset, &target, context)
            {
                found.push((sequence, asset, Materialization { target, ..made }));
            }
        }
        match latest.next {
            Some(token) => page = page.after(token),
            None => return Ok(found),
        }
    }
}

/// Whether a record is of the asset as it is divided now: the records of keys that a definition lost
/// stay.
fn belongs(
    graph: &AssetGraph,
    asset: AssetId,
    target: &PartitionRef,
    context: &PartitionContext,
) -> bool {
    match (graph.partitions(asset), &target.partition) {
        (None, None) => true,
        (Some(definition), Some(key)) => {
            definition.find(key.as_str(), context) == Some(target.ordinal)
        }
        _ => false,
    }
}

/// The runs that updates name, each read once.
#[derive(Default)]
struct Runs(BTreeMap<RunId, Option<RunRef>>);

impl Runs {
    async fn reference(
        &mut self,
        snapshot: &mut Snapshot,
        state: &dyn StateStore,
        id: RunId,
    ) -> StateResult<Option<RunRef>> {
        if let Some(known) = self.0.get(&id) {
            return Ok(*known);
        }
        let reference = state.run(id).await?.map(|run| {
            let plan = run.plan.unwrap_or_default();
            snapshot.add_run(RunFacts {
                assets: plan.assets.into_keys().collect(),
                tags: run.request.tags,
            })
        });
        self.0.insert(id, reference);
        Ok(reference)
    }
}

/// Puts down how a check ended, unless it looked at what is not there any more. Evaluations have no
/// number of their own: one stands where what it looked at does.
fn check(
    snapshot: &mut Snapshot,
    sequence: Sequence,
    made: &Materialization,
    found: &CheckEvaluation,
) {
    if found.run < made.run {
        return;
    }
    let facts = snapshot.check_mut(&found.check);
    let ordinal = made.target.ordinal;
    let set = match found.outcome {
        CheckOutcome::Passed => &mut facts.passed,
        CheckOutcome::Failed => &mut facts.failed,
        CheckOutcome::Errored => &mut facts.execution_failed,
    };
    set.insert(ordinal);
    let update = Update::new(sequence.0, found.at, PartitionSet::single(ordinal));
    facts.updates.push(update);
}
