//! [`evaluate_automation`].

use std::{collections::BTreeSet, sync::Arc};

use chrono::{DateTime, Utc};
use precip_core::{
    automation::{
        AutomationCursor, Conditions, Evaluation, EvaluationError, InvalidAutomation, Ordering,
    },
    key::AssetKey,
    mapping::InvalidMapping,
    partitions::{PartitionContext, PartitionSet},
};
use serde::{Deserialize, Serialize};

use super::{facts::read_facts, seen::Seen};
use crate::{
    definitions::Definitions,
    state::{StateError, StateStore, TriggerId, TriggerKind, TriggerState},
};

/// Returns the id of the trigger shared by all automation conditions of a project. Its cursor is
/// the state that one evaluation leaves for the next.
pub fn automation_trigger() -> TriggerId {
    TriggerId::new(TriggerKind::Automation, "conditions")
}

/// One evaluation of all automation conditions of a project.
#[derive(Debug, Clone, PartialEq)]
pub struct AutomationTick {
    /// The state left by the previous tick; the default for the first one.
    pub before: AutomationCursor,
    /// The revision of [`automation_trigger`] that the tick is based on, required to record it.
    pub revision: u64,
    /// The requested partitions, the reasons, and the state for the next tick.
    pub evaluation: Evaluation,
    /// The assets with partitions published since the previous tick.
    pub updated: BTreeSet<AssetKey>,
    /// `true` if nothing needs to be recorded: the tick decided nothing and saw nothing new.
    pub idle: bool,
    /// The time of the next evaluation if nothing happens before it.
    pub next: Option<DateTime<Utc>>,
    /// The position reached in each asset's log of updates.
    pub(crate) seen: Seen,
}

/// The state kept between two evaluations of the automation conditions.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct StoredCursor {
    /// The cursor of the conditions.
    #[serde(flatten)]
    pub(crate) cursor: AutomationCursor,
    /// The position reached in each asset's log of updates.
    #[serde(default)]
    pub(crate) seen: Seen,
    /// Requests that did not fit into the tick: assets that share a run, and their partitions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) pending: Vec<(BTreeSet<AssetKey>, PartitionSet)>,
}

impl StoredCursor {
    /// Parses the cursor of [`automation_trigger`].
    pub(crate) fn of_trigger(state: &TriggerState) -> Result<Self, AutomationError> {
        match &state.cursor {
            None => Ok(Self::default()),
            Some(cursor) => serde_json::from_str(cursor).map_err(AutomationError::Cursor),
        }
    }
}

/// Evaluates the automation conditions of a project on its record, starting from the state left by
/// the last recorded evaluation. Changes nothing: a caller that acts on the tick records it with
/// [`TriggerStore::advance_trigger`](crate::state::TriggerStore::advance_trigger).
///
/// Reads the status sets of the assets that the conditions refer to and the updates since the last
/// recorded evaluation, and beyond that only what a condition needs.
///
/// # Errors
/// [`AutomationError`] when a condition is invalid or the record cannot be read.
pub async fn evaluate_automation(
    definitions: &Definitions,
    state: &Arc<dyn StateStore>,
    context: &PartitionContext,
) -> Result<AutomationTick, AutomationError> {
    let graph = definitions.graph();
    let conditions = Conditions::new(graph, Ordering::default())?;
    let trigger = state.trigger_state(&automation_trigger()).await?;
    let StoredCursor {
        cursor: before,
        seen,
        ..
    } = StoredCursor::of_trigger(&trigger)?;
    let facts = read_facts(
        &conditions,
        graph,
        state.as_ref(),
        (&before, &seen),
        context,
    )
    .await?;
    let evaluation = conditions.evaluate_tick(&facts.snapshot, &before, context)?;
    let updated = facts.updated.into_iter().map(|asset| graph.key(asset));
    Ok(AutomationTick {
        updated: updated.cloned().collect(),
        idle: facts.seen == seen && conditions.is_idle(&before, &evaluation),
        next: conditions.next_change(context),
        before,
        revision: trigger.revision,
        evaluation,
        seen: facts.seen,
    })
}

/// A failed evaluation of a project's automation conditions.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AutomationError {
    /// A condition is invalid.
    #[error(transparent)]
    Invalid(#[from] InvalidAutomation),
    /// The partitions of two assets cannot be matched.
    #[error(transparent)]
    Evaluation(#[from] EvaluationError),
    /// The mapping of a dependency does not fit its two assets.
    #[error(transparent)]
    Mapping(#[from] InvalidMapping),
    /// The record cannot be read.
    #[error(transparent)]
    State(#[from] StateError),
    /// The stored cursor cannot be parsed.
    #[error("the stored cursor of the automation conditions cannot be read")]
    Cursor(#[source] serde_json::Error),
}
