//! Reading the record into a [`Snapshot`].

use std::collections::BTreeMap;

use precip_core::{
    automation::{AutomationCursor, Conditions, RunFacts, RunRef, Snapshot, Update},
    graph::{AssetGraph, AssetId},
    partitions::{PartitionContext, PartitionSet},
    plan::{AssetStatuses, Lineage},
};

use super::{
    AutomationError,
    history::data_version_changed,
    required::RequiredFacts,
    seen::{Seen, read_latest},
};
use crate::{
    run::add_statuses,
    run_id::RunId,
    state::{CheckEvaluation, CheckOutcome, Materialization, Sequence, StateResult, StateStore},
};

/// The facts that an evaluation uses, and what is new in them since the last one.
pub(super) struct Facts {
    pub(super) snapshot: Snapshot,
    /// The position reached in each asset's log of updates.
    pub(super) seen: Seen,
    /// The assets with new updates.
    pub(super) updated: Vec<AssetId>,
}

/// A materialization that an evaluation sees.
struct SeenUpdate {
    sequence: Sequence,
    asset: AssetId,
    made: Materialization,
    new: bool,
    /// Its number in the order in which evaluations see updates; 0 for one that is not new.
    number: u64,
}

/// Reads the facts that the conditions need.
///
/// An update is new if it is in the asset's log behind the position that the last evaluation
/// reached. New updates are numbered in the order of the record, above all earlier numbers: an
/// update that becomes visible only now counts as later than those seen before, regardless of
/// clocks. The log keeps one entry per partition, so a partition that was materialized twice since
/// then counts as updated once, with the later materialization.
pub(super) async fn read_facts(
    conditions: &Conditions<'_>,
    graph: &AssetGraph,
    state: &dyn StateStore,
    (before, seen_before): (&AutomationCursor, &Seen),
    context: &PartitionContext,
) -> Result<Facts, AutomationError> {
    let required = RequiredFacts::of_graph(graph);
    let mut snapshot = Snapshot::new(graph);
    let mut seen = seen_before.clone();
    let mut updates: Vec<SeenUpdate> = Vec::new();
    let mut updated = Vec::new();
    let begins = before.seen_up_to().is_none();
    let mut record = AssetStatuses::default();
    for asset in conditions.target_assets().iter() {
        let key = graph.key(asset);
        // Read before the log: a partition published in between is in progress now, and new in the
        // next evaluation. The other order could miss it in both.
        let statuses = state.partition_statuses(key).await?;
        let mut new = seen.read_updates(state, key).await?;
        let wanted = if required.latest {
            &statuses.materialized | &new.partitions
        } else if begins {
            PartitionSet::empty()
        } else {
            new.partitions.clone()
        };
        let made = read_latest(graph, state, asset, &wanted, context).await?;
        if new.first {
            // The conditions see this asset for the first time, so only updates since the last
            // evaluation are new.
            let since = before.evaluated_last();
            new.partitions = made
                .iter()
                .filter(|(_, made)| Some(made.finished_at) >= since)
                .map(|(_, made)| made.target.ordinal)
                .collect();
        }
        // The first evaluation has no earlier state to compare with, so nothing is new to it.
        if !begins && !new.partitions.is_empty() {
            updated.push(asset);
        }
        record
            .materialized
            .set_partitions(asset, statuses.materialized.clone());
        record.skipped.set_partitions(asset, statuses.skipped);
        let facts = snapshot.asset_facts_mut(asset);
        facts.materialized = statuses.materialized;
        facts.failed = statuses.failed;
        facts.run_in_progress = statuses.in_progress;
        updates.extend(made.into_iter().map(|(sequence, made)| SeenUpdate {
            new: !begins && new.partitions.contains(made.target.ordinal),
            sequence,
            asset,
            made,
            number: 0,
        }));
    }
    let targets = conditions.target_assets();
    let lineage = Lineage::new(graph, context);
    add_statuses(
        lineage,
        state,
        targets.clone(),
        targets.clone(),
        &mut record,
    )
    .await?;
    let skipped = record.nothing_to_make(lineage)?;
    for asset in targets.iter() {
        let skipped = skipped.of(asset);
        snapshot.asset_facts_mut(asset).skipped.clone_from(skipped);
    }
    seen.retain_assets(|key| graph.id(key).is_some());
    number_updates(&mut updates, before.seen_up_to().unwrap_or_default());
    snapshot.seen_up_to(before.seen_up_to().unwrap_or_default());
    record_updates(&mut snapshot, &required, state, &updates).await?;
    if required.checks {
        for update in &updates {
            if graph.checks_of(update.asset).len() > 0 {
                let found = state.latest_checks(&update.made.target).await?;
                found
                    .iter()
                    .for_each(|found| record_check(&mut snapshot, update, found));
            }
        }
    }
    Ok(Facts {
        snapshot,
        seen,
        updated,
    })
}

/// Sorts updates, old ones first, and numbers the new ones. Old updates need no number: conditions
/// refer to them by run only.
fn number_updates(updates: &mut [SeenUpdate], last: u64) {
    updates.sort_by_key(|update| (update.new, update.sequence));
    let new = updates.iter_mut().filter(|update| update.new);
    for (update, number) in new.zip(last + 1..) {
        update.number = number;
    }
}

async fn record_updates(
    snapshot: &mut Snapshot,
    required: &RequiredFacts,
    state: &dyn StateStore,
    updates: &[SeenUpdate],
) -> StateResult<()> {
    let mut runs = Runs::default();
    for SeenUpdate {
        asset,
        made,
        new,
        number,
        ..
    } in updates
    {
        let run = if required.runs {
            runs.run_ref(snapshot, state, made.run).await?
        } else {
            None
        };
        // Reading the history is expensive, so it happens only for new updates and where a
        // condition asks.
        let asked = required.data_versions && *new;
        let update = Update {
            began: Some(made.started_at),
            run,
            data_version_changed: !asked || data_version_changed(state, made).await?,
            ..Update::new(
                *number,
                made.finished_at,
                PartitionSet::single(made.target.ordinal),
            )
        };
        snapshot.record_update(*asset, update);
    }
    Ok(())
}

/// The runs that updates refer to, each read once.
#[derive(Default)]
struct Runs(BTreeMap<RunId, Option<RunRef>>);

impl Runs {
    async fn run_ref(
        &mut self,
        snapshot: &mut Snapshot,
        state: &dyn StateStore,
        id: RunId,
    ) -> StateResult<Option<RunRef>> {
        if let Some(known) = self.0.get(&id) {
            return Ok(*known);
        }
        let reference = state.find_run(id).await?.map(|run| {
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

/// Records a check's evaluation, unless it is of an older materialization. An evaluation has the
/// number of the materialization it checked.
fn record_check(snapshot: &mut Snapshot, checked: &SeenUpdate, found: &CheckEvaluation) {
    if found.run < checked.made.run {
        return;
    }
    let facts = snapshot.check_facts_mut(&found.check);
    let ordinal = checked.made.target.ordinal;
    let set = match found.outcome {
        CheckOutcome::Passed => &mut facts.passed,
        CheckOutcome::Failed => &mut facts.failed,
        CheckOutcome::Errored => &mut facts.execution_failed,
    };
    set.insert(ordinal);
    let update = Update::new(checked.number, found.at, PartitionSet::single(ordinal));
    facts.updates.push(update);
}
