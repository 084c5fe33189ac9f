//! [`evaluate_freshness`].

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use precip_core::{
    freshness::{FreshnessPolicy, FreshnessState},
    graph::{AssetGraph, AssetId},
    key::AssetKey,
    partitions::PartitionContext,
};

use super::{FreshnessChange, FreshnessTopic, Known, known::Stored};
use crate::{
    automation::latest,
    definitions::Definitions,
    state::{Advance, StateResult, StateStore, TickRequest, TriggerId, TriggerKind},
    trigger::{TriggerError, TriggerPorts},
};

/// The trigger that stands for the freshness of all assets: its cursor is what is known of them.
pub fn trigger() -> TriggerId {
    TriggerId::new(TriggerKind::Automation, "freshness")
}

/// What came of an evaluation of freshness.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Freshness {
    /// What changed, and was raised.
    pub changes: Vec<FreshnessChange>,
    /// When some state is another one unless its asset is materialized until then.
    pub next: Option<DateTime<Utc>>,
}

/// How fresh the assets with a policy are, from what is on record. It changes nothing.
///
/// # Errors
/// [`TriggerError`] when the record cannot be read.
pub async fn look(
    definitions: &Definitions,
    state: &dyn StateStore,
    context: &PartitionContext,
) -> Result<BTreeMap<AssetKey, Known>, TriggerError> {
    let stored = Stored::of(&state.trigger(&trigger()).await?)?;
    let found = Looking {
        graph: definitions.graph(),
        state,
        context,
    };
    Ok(found.look(&stored, None).await?.assets)
}

/// Evaluates the freshness of assets, puts down what is another one now, and raises it. `of` are the
/// assets that something was published of; `None` looks at all. What was put down earlier and not
/// raised is raised first.
///
/// # Errors
/// [`TriggerError`]: what could not be raised is raised by the next evaluation.
pub async fn evaluate_freshness(
    ports: &TriggerPorts,
    topic: &dyn FreshnessTopic,
    of: Option<&BTreeSet<AssetKey>>,
) -> Result<Freshness, TriggerError> {
    let graph = ports.definitions.graph();
    let mut outcome = Freshness::default();
    if graph.ids().all(|id| graph.asset(id).freshness.is_none()) {
        return Ok(outcome);
    }
    let trigger = trigger();
    let mut attempt = 0;
    loop {
        let state = ports.state.trigger(&trigger).await?;
        let stored = Stored::of(&state)?;
        let context = ports.context().await?;
        let raised = raise(topic, &stored).await?;
        let looking = Looking {
            graph,
            state: ports.state.as_ref(),
            context: &context,
        };
        let next = match raised {
            true => Stored {
                raising: Vec::new(),
                ..stored.clone()
            },
            false => looking.look(&stored, of).await?,
        };
        outcome.next = looking.next(&next);
        if next == stored {
            return Ok(outcome);
        }
        let advance = Advance {
            revision: state.revision,
            cursor: Some(next.write()?),
            at: context.now,
            scheduled_for: None,
            request: TickRequest::Skip {
                reason: told(&next.raising),
            },
            note: None,
        };
        if ports.advance(&trigger, advance).await?.is_none() {
            ports.wait_again(&trigger, &mut attempt).await?;
        } else if raised {
            outcome.changes.extend(stored.raising);
        }
    }
}

async fn raise(topic: &dyn FreshnessTopic, stored: &Stored) -> Result<bool, TriggerError> {
    if stored.raising.is_empty() {
        return Ok(false);
    }
    let raised = topic.raise(&stored.raising).await;
    raised.map_err(|message| TriggerError::Raise { message })?;
    Ok(true)
}

fn told(changes: &[FreshnessChange]) -> Option<String> {
    let each = changes
        .iter()
        .map(|change| format!("{} is {} now", change.asset, change.state));
    let told: Vec<String> = each.collect();
    (!told.is_empty()).then(|| told.join(", "))
}

struct Looking<'a> {
    graph: &'a AssetGraph,
    state: &'a dyn StateStore,
    context: &'a PartitionContext,
}

impl Looking<'_> {
    fn policies(&self) -> impl Iterator<Item = (AssetId, &AssetKey, &FreshnessPolicy)> {
        self.graph.ids().filter_map(|id| {
            let policy = self.graph.asset(id).freshness.as_ref()?;
            Some((id, self.graph.key(id), policy))
        })
    }

    /// What is known now: of `of`, and of assets that nobody looked at yet, with what was published
    /// since the last time.
    async fn look(&self, stored: &Stored, of: Option<&BTreeSet<AssetKey>>) -> StateResult<Stored> {
        let now = self.context.now;
        let mut next = Stored {
            assets: BTreeMap::new(),
            ..stored.clone()
        };
        for (id, key, policy) in self.policies() {
            let before = stored.assets.get(key);
            let mut last = before.and_then(|known| known.last);
            if before.is_none() || of.is_none_or(|of| of.contains(key)) {
                let new = next.seen.look(self.state, key).await?;
                let made =
                    latest(self.graph, self.state, id, &new.partitions, self.context).await?;
                let made = made.iter().map(|(_, made)| made.finished_at);
                last = made.max().max(last);
            }
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
                .insert(key.clone(), Known { state, since, last });
        }
        let policies: BTreeSet<&AssetKey> = self.policies().map(|(_, key, _)| key).collect();
        next.seen.retain(|key| policies.contains(key));
        Ok(next)
    }

    fn next(&self, known: &Stored) -> Option<DateTime<Utc>> {
        let changes = self.policies().filter_map(|(_, key, policy)| {
            let last = known.assets.get(key)?.last;
            policy.next_change(last, self.context.now)
        });
        changes.min()
    }
}
