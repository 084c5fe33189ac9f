//! From the record to a [`Snapshot`].

use std::collections::BTreeMap;

use precip_core::{
    automation::{AutomationCursor, Conditions, RunFacts, RunRef, Snapshot, Update},
    graph::{AssetGraph, AssetId},
    partitions::{PartitionContext, PartitionSet},
};

use super::{
    history::data_version_changed,
    questions::Questions,
    seen::{Seen, latest},
};
use crate::{
    run_id::RunId,
    state::{CheckEvaluation, CheckOutcome, Materialization, Sequence, StateResult, StateStore},
};

/// What is true of the record, and what was new to whoever asked.
pub(super) struct Facts {
    pub(super) snapshot: Snapshot,
    /// How far the logs were read.
    pub(super) seen: Seen,
    /// The assets that have something new.
    pub(super) updated: Vec<AssetId>,
}

/// One materialization that an evaluation is told of.
struct Told {
    sequence: Sequence,
    asset: AssetId,
    made: Materialization,
    new: bool,
    /// Its place in the order in which evaluations were told; 0 for what is not new.
    number: u64,
}

/// Reads what is true of the record, as far as conditions ask.
///
/// What is new is what stands in the log of an asset behind the place that the last evaluation read up
/// to: its updates get numbers above all that were given before, in the order of the record, so that
/// one which can be seen only now counts as later than what was seen, whatever a clock said. The log
/// keeps the partitions, so one that was made twice since then counts as updated once, with what is
/// known of the later time.
pub(super) async fn facts(
    conditions: &Conditions<'_>,
    graph: &AssetGraph,
    state: &dyn StateStore,
    (before, seen): (&AutomationCursor, &Seen),
    context: &PartitionContext,
) -> StateResult<Facts> {
    let questions = Questions::of(graph);
    let mut snapshot = Snapshot::new(graph);
    let mut seen = seen.clone();
    let mut told: Vec<Told> = Vec::new();
    let mut updated = Vec::new();
    let begins = before.seen_up_to().is_none();
    for asset in conditions.targets().iter() {
        let key = graph.key(asset);
        // Before the log: what is published in between is seen as work in progress now, and as new by
        // the evaluation that follows it.
        let statuses = state.statuses(key).await?;
        let mut new = seen.look(state, key).await?;
        let wanted = match questions.latest {
            true => &statuses.materialized | &new.partitions,
            false if begins => PartitionSet::empty(),
            false => new.partitions.clone(),
        };
        let made = latest(graph, state, asset, &wanted, context).await?;
        if new.first {
            // The conditions look at it for the first time: what is older than their last look is
            // nothing new.
            let since = before.evaluated_last();
            let later = |made: &&(Sequence, Materialization)| Some(made.1.finished_at) >= since;
            let later = made.iter().filter(later);
            new.partitions = later.map(|(_, made)| made.target.ordinal).collect();
        }
        if !begins && !new.partitions.is_empty() {
            updated.push(asset);
        }
        let facts = snapshot.asset_mut(asset);
        facts.materialized = statuses.materialized;
        facts.failed = statuses.failed;
        facts.run_in_progress = statuses.in_progress;
        told.extend(made.into_iter().map(|(sequence, made)| Told {
            new: !begins && new.partitions.contains(made.target.ordinal),
            sequence,
            asset,
            made,
            number: 0,
        }));
    }
    seen.retain(|key| graph.id(key).is_some());
    number(&mut told, before.seen_up_to().unwrap_or_default());
    snapshot.seen_up_to(before.seen_up_to().unwrap_or_default());
    record(&mut snapshot, &questions, state, &told).await?;
    if questions.checks {
        for told in &told {
            if graph.checks_of(told.asset).len() > 0 {
                let found = state.latest_checks(&told.made.target).await?;
                found
                    .iter()
                    .for_each(|found| check(&mut snapshot, told, found));
            }
        }
    }
    Ok(Facts {
        snapshot,
        seen,
        updated,
    })
}

/// Brings them into order, what is old first. What is old has no number of its own: nobody asks for it
/// but by its run.
fn number(told: &mut [Told], last: u64) {
    told.sort_by_key(|told| (told.new, told.sequence));
    let new = told.iter_mut().filter(|told| told.new);
    for (told, number) in new.zip(last + 1..) {
        told.number = number;
    }
}

async fn record(
    snapshot: &mut Snapshot,
    questions: &Questions,
    state: &dyn StateStore,
    told: &[Told],
) -> StateResult<()> {
    let mut runs = Runs::default();
    for Told {
        asset,
        made,
        new,
        number,
        ..
    } in told
    {
        let run = match questions.runs {
            true => runs.reference(snapshot, state, made.run).await?,
            false => None,
        };
        let asked = questions.data_versions && *new;
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
        snapshot.record(*asset, update);
    }
    Ok(())
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
fn check(snapshot: &mut Snapshot, told: &Told, found: &CheckEvaluation) {
    if found.run < told.made.run {
        return;
    }
    let facts = snapshot.check_mut(&found.check);
    let ordinal = told.made.target.ordinal;
    let set = match found.outcome {
        CheckOutcome::Passed => &mut facts.passed,
        CheckOutcome::Failed => &mut facts.failed,
        CheckOutcome::Errored => &mut facts.execution_failed,
    };
    set.insert(ordinal);
    let update = Update::new(told.number, found.at, PartitionSet::single(ordinal));
    facts.updates.push(update);
}
