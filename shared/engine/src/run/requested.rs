//! Planning of a queued run: one that a trigger recorded before it was planned.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use precip_core::plan::{CheckSelection, PlanError};

use crate::{
    definitions::Definitions,
    run::{PlanRunError, PlannedRun, plan_run, renumber_changed},
    state::{Run, RunChange, RunStatus, StateResult, StateStore},
};

/// The plan of a queued run, or the reason why it has ended without one.
#[derive(Debug)]
pub enum QueuedRunPlan {
    /// The run has work.
    Planned(Box<PlannedRun>),
    /// The run had nothing to do and has ended as succeeded; with a message.
    NothingToDo(String),
    /// The request is not valid (any more), and the run has ended as failed.
    Invalid(PlanRunError),
}

/// Plans a run that is [`RunStatus::Queued`], as of the time of its request, or as of now if it waited
/// for an upstream window since. A run without work is ended here, because no executor would end it.
///
/// # Errors
/// When the state store cannot be read or written: call it again.
pub async fn plan_queued_run(
    definitions: &Definitions,
    state: &Arc<dyn StateStore>,
    now: DateTime<Utc>,
    run: &Run,
) -> StateResult<QueuedRunPlan> {
    // As of the time of the request: a partition that has closed since is not part of it.
    let (moment, request) = (run.created_at, &run.request);
    let context = super::partition_context(definitions, state, now).await?;
    renumber_changed(definitions, state, &context).await?;
    let plan_at = |moment| plan_run(definitions, state, moment, request, CheckSelection::All);
    let planned = match plan_at(moment).await {
        // Only a request by key needs a window that is to come; others leave the partition out.
        Err(PlanRunError::Plan(PlanError::UpstreamToCome { .. })) => plan_at(now).await,
        planned => planned,
    };
    let end = |to| RunChange::new([RunStatus::Queued], to, now);
    match planned {
        Ok(planned) if planned.plan.is_empty() => {
            let message = "there was nothing to do";
            let over = end(RunStatus::Succeeded).with_message(message);
            state.change_run(run.id, over).await?;
            Ok(QueuedRunPlan::NothingToDo(message.to_owned()))
        }
        Ok(planned) => Ok(QueuedRunPlan::Planned(Box::new(planned))),
        Err(PlanRunError::State(error)) => Err(error),
        Err(error) => {
            let over = end(RunStatus::Failed).with_message(error.to_string());
            state.change_run(run.id, over).await?;
            Ok(QueuedRunPlan::Invalid(error))
        }
    }
}
