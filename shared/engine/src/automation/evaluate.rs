//! [`evaluate_automation`].

use std::{collections::BTreeSet, sync::Arc};

use chrono::{DateTime, Utc};
use precip_core::{
    automation::{
        AutomationCursor, Conditions, Evaluation, EvaluationError, InvalidAutomation, Ordering,
    },
    key::AssetKey,
    partitions::{PartitionContext, PartitionSet},
};
use serde::{Deserialize, Serialize};

use super::{facts::facts, seen::Seen};
use crate::{
    definitions::Definitions,
    state::{StateError, StateStore, TriggerId, TriggerKind, TriggerState},
};

/// The trigger that stands for all automation conditions of a project: its cursor is what one
/// evaluation leaves for the next.
pub fn trigger() -> TriggerId {
    TriggerId::new(TriggerKind::Automation, "conditions")
}

/// One evaluation of all automation conditions of a project.
#[derive(Debug, Clone, PartialEq)]
pub struct AutomationTick {
    /// What the tick before left; the default if there was none.
    pub before: AutomationCursor,
    /// The revision of [`trigger`] that the tick went on from: whoever records it names this number.
    pub revision: u64,
    /// What is to be made, why, and what the next tick needs.
    pub evaluation: Evaluation,
    /// The assets that something was published of since then.
    pub updated: BTreeSet<AssetKey>,
    /// Whether nothing has to be recorded: it decided nothing, and saw nothing new.
    pub idle: bool,
    /// When the conditions have to be evaluated again although nothing happens.
    pub next: Option<DateTime<Utc>>,
    /// How far the logs of the assets were read.
    pub(crate) seen: Seen,
}

/// What is kept of the automation conditions between two evaluations.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct StoredCursor {
    /// What one evaluation left for the next.
    #[serde(flatten)]
    pub(crate) cursor: AutomationCursor,
    /// How far it had read the log of each asset.
    #[serde(default)]
    pub(crate) seen: Seen,
    /// What it asked for and did not fit into its tick: assets that share a run, and their partitions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) pending: Vec<(BTreeSet<AssetKey>, PartitionSet)>,
}

impl StoredCursor {
    /// Reads the cursor of [`trigger`].
    pub(crate) fn of(state: &TriggerState) -> Result<Self, AutomationError> {
        match &state.cursor {
            None => Ok(Self::default()),
            Some(cursor) => serde_json::from_str(cursor).map_err(AutomationError::Cursor),
        }
    }
}

/// Evaluates the automation conditions of a project on its record, from what the last recorded
/// evaluation left. It changes nothing: who acts on the answer records it with
/// [`TriggerStore::advance`](crate::state::TriggerStore::advance).
///
/// Of the assets that the conditions ask about it reads the status sets and what was published since
/// the last recorded evaluation, and beyond that only what a condition asks.
///
/// # Errors
/// [`AutomationError`] when a condition makes no sense or the record cannot be read.
pub async fn evaluate_automation(
    definitions: &Definitions,
    state: &Arc<dyn StateStore>,
    context: &PartitionContext,
) -> Result<AutomationTick, AutomationError> {
    let graph = definitions.graph();
    let conditions = Conditions::new(graph, Ordering::default())?;
    let trigger = state.trigger(&trigger()).await?;
    let StoredCursor {
        cursor: before,
        seen,
        ..
    } = StoredCursor::of(&trigger)?;
    let facts = facts(
        &conditions,
        graph,
        state.as_ref(),
        (&before, &seen),
        context,
    )
    .await?;
    let evaluation = conditions.evaluate(&facts.snapshot, &before, context)?;
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

/// Why the conditions of a project could not be evaluated.
#[derive(Debug, thiserror::Error)]
pub enum AutomationError {
    /// A condition makes no sense.
    #[error(transparent)]
    Invalid(#[from] InvalidAutomation),
    /// Partitions of two assets cannot be matched.
    #[error(transparent)]
    Evaluation(#[from] EvaluationError),
    /// The record cannot be read.
    #[error(transparent)]
    State(#[from] StateError),
    /// The cursor that is stored is not one.
    #[error("what the last evaluation of the automation conditions left cannot be read")]
    Cursor(#[source] serde_json::Error),
}
