//! [`evaluate_freshness`].

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use precip_core::{
    freshness::{FreshnessPolicy, FreshnessState},
    graph::{AssetGraph, AssetId},
    key::AssetKey,
    partitions::PartitionContext,
};

use super::{AssetFreshness, FreshnessChange, FreshnessTopic, known::StoredFreshness};
use crate::{
    automation::read_latest,
    definitions::Definitions,
    state::{Advance, StateResult, StateStore, TickRequest, TriggerId, TriggerKind},
    trigger::{TriggerError, TriggerPorts},
};

/// Returns the id of the trigger shared by the freshness of all assets. Its cursor holds their
/// states.
pub fn freshness_trigger() -> TriggerId {
    TriggerId::new(TriggerKind::Automation, "freshness")
}

/// The outcome of an evaluation of freshness.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FreshnessOutcome {
    /// The changes that were raised.
    pub changes: Vec<FreshnessChange>,
    /// The time at which the next state changes unless its asset is materialized before.
    pub next: Option<DateTime<Utc>>,
}

/// Returns the current freshness of the assets with a policy. Changes nothing.
///
/// # Errors
/// [`TriggerError`] when the record cannot be read.
pub async fn read_freshness(
    definitions: &Definitions,
    state: &dyn StateStore,
    context: &PartitionContext,
) -> Result<BTreeMap<AssetKey, AssetFreshness>, TriggerError> {
    let stored = StoredFreshness::of_trigger(&state.trigger_state(&freshness_trigger()).await?)?;
    let reader = FreshnessReader {
        graph: definitions.graph(),
        state,
        context,
    };
    Ok(reader.read_states(&stored, None).await?.assets)
}

/// Evaluates the freshness of assets, records changes and raises them. `of` holds the assets with
/// new materializations; `None` evaluates all. Changes recorded earlier and not yet raised are
/// raised first.
///
/// # Errors
/// [`TriggerError`]. Changes that could not be raised are raised by the next evaluation.
pub async fn evaluate_freshness(
    ports: &TriggerPorts,
    topic: &dyn FreshnessTopic,
    of: Option<&BTreeSet<AssetKey>>,
) -> Result<FreshnessOutcome, TriggerError> {
    let graph = ports.definitions.graph();
    let mut outcome = FreshnessOutcome::default();
    if graph.ids().all(|id| graph.asset(id).freshness.is_none()) {
        return Ok(outcome);
    }
    let trigger = freshness_trigger();
    let mut attempt = 0;
    // Each round either raises the recorded changes and takes them off the list, or evaluates and
    // records new changes; the next round raises those. The loop ends when nothing is left to
    // record.
    loop {
        let state = ports.state.trigger_state(&trigger).await?;
        let stored = StoredFreshness::of_trigger(&state)?;
        let context = ports.current_context().await?;
        let raised = raise_recorded(topic, &stored).await?;
        let reader = FreshnessReader {
            graph,
            state: ports.state.as_ref(),
            context: &context,
        };
        let next = if raised {
            StoredFreshness {
                raising: Vec::new(),
                ..stored.clone()
            }
        } else {
            reader.read_states(&stored, of).await?
        };
        outcome.next = reader.next_deadline(&next);
        if next == stored {
            return Ok(outcome);
        }
        let advance = Advance {
            revision: state.revision,
            cursor: Some(next.to_cursor()?),
            at: context.now,
            scheduled_for: None,
            request: TickRequest::Skip {
                reason: change_summary(&next.raising),
            },
            note: None,
        };
        // A refused advance means that another process evaluated in between: start over.
        if ports.advance_and_launch(&trigger, advance).await?.is_none() {
            ports.back_off(&trigger, &mut attempt).await?;
        } else if raised {
            outcome.changes.extend(stored.raising);
        }
    }
}

async fn raise_recorded(
    topic: &dyn FreshnessTopic,
    stored: &StoredFreshness,
) -> Result<bool, TriggerError> {
    if stored.raising.is_empty() {
        return Ok(false);
    }
    let raised = topic.raise_changes(&stored.raising).await;
    raised.map_err(|message| TriggerError::Raise { message })?;
    Ok(true)
}

fn change_summary(changes: &[FreshnessChange]) -> Option<String> {
    let each = changes
        .iter()
        .map(|change| format!("{} is {} now", change.asset, change.state));
    let told: Vec<String> = each.collect();
    (!told.is_empty()).then(|| told.join(", "))
}

struct FreshnessReader<'a> {
    graph: &'a AssetGraph,
    state: &'a dyn StateStore,
    context: &'a PartitionContext,
}

impl FreshnessReader<'_> {
    fn freshness_policies(&self) -> impl Iterator<Item = (AssetId, &AssetKey, &FreshnessPolicy)> {
        self.graph.ids().filter_map(|id| {
            let policy = self.graph.asset(id).freshness.as_ref()?;
            Some((id, self.graph.key(id), policy))
        })
    }

    /// Returns the states as of now. Reads new materializations of the assets in `of` and of assets
    /// that were never evaluated.
    async fn read_states(
        &self,
        stored: &StoredFreshness,
        of: Option<&BTreeSet<AssetKey>>,
    ) -> StateResult<StoredFreshness> {
        let now = self.context.now;
        let mut next = StoredFreshness {
            assets: BTreeMap::new(),
            ..stored.clone()
        };
        for (id, key, policy) in self.freshness_policies() {
            let before = stored.assets.get(key);
            let mut last = before.and_then(|known| known.last);
            // An asset that was never evaluated has materializations from before its policy.
            if before.is_none() || of.is_none_or(|of| of.contains(key)) {
                let new = next.seen.read_updates(self.state, key).await?;
                let made =
                    read_latest(self.graph, self.state, id, &new.partitions, self.context).await?;
                let finished = made.iter().map(|(_, made)| made.finished_at);
                last = finished.max().max(last);
            }
            // The state may change by time alone, so it is computed for every asset.
            let state = policy.state(last, now);
            let was = before.map_or(FreshnessState::Unknown, |known| known.state);
            if state != was {
                next.raising.push(FreshnessChange {
                    asset: key.clone(),
                    state,
                    before: was,
                    at: now,
                    last_materialized: last,
                });
            }
            let since = before
                .filter(|_| state == was)
                .map_or(now, |known| known.since);
            next.assets
                .insert(key.clone(), AssetFreshness { state, since, last });
        }
        // An asset whose policy was removed starts over if it gets one again.
        let policies: BTreeSet<&AssetKey> =
            self.freshness_policies().map(|(_, key, _)| key).collect();
        next.seen.retain_assets(|key| policies.contains(key));
        Ok(next)
    }

    fn next_deadline(&self, known: &StoredFreshness) -> Option<DateTime<Utc>> {
        let changes = self.freshness_policies().filter_map(|(_, key, policy)| {
            let last = known.assets.get(key)?.last;
            policy.next_change(last, self.context.now)
        });
        changes.min()
    }
}
