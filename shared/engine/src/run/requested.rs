//! Planning a run that is on record already: one that a trigger asked for.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use precip_core::plan::CheckSelection;

use crate::{
    definitions::Definitions,
    run::{PlanRunError, PlannedRun, plan_run, renumber_changed},
    state::{Run, RunChange, RunStatus, StateResult, StateStore},
};

/// What becomes of a run that is on record, when it is about to begin.
#[derive(Debug)]
pub enum Requested {
    /// It has work.
    Planned(Box<PlannedRun>),
    /// Everything that it asks for is there: it is over, and succeeded.
    Nothing(String),
    /// It can never start, since its request makes no sense (any more): it is over, and failed.
    Never(PlanRunError),
}

/// Plans a run that is [`RunStatus::Queued`], as it was asked for at the moment of its request. One
/// that has no work is ended, since nobody else would.
///
/// # Errors
/// When the record cannot be read or written: the same call may be made again.
pub async fn plan_requested(
    definitions: &Definitions,
    state: &Arc<dyn StateStore>,
    now: DateTime<Utc>,
    run: &Run,
) -> StateResult<Requested> {
    let (moment, request) = (run.created_at, &run.request);
    let context = super::partition_context(definitions, state, moment).await?;
    renumber_changed(definitions, state, &context).await?;
    let planned = plan_run(definitions, state, moment, request, CheckSelection::All).await;
    let end = |to| RunChange::new([RunStatus::Queued], to, now);
    match planned {
        Ok(planned) if planned.plan.is_empty() => {
            let message = "there was nothing to do";
            let over = end(RunStatus::Succeeded).because(message);
            state.change_run(run.id, over).await?;
            Ok(Requested::Nothing(message.to_owned()))
        }
        Ok(planned) => Ok(Requested::Planned(Box::new(planned))),
        Err(PlanRunError::State(error)) => Err(error),
        Err(error) => {
            let over = end(RunStatus::Failed).because(error.to_string());
            state.change_run(run.id, over).await?;
            Ok(Requested::Never(error))
        }
    }
}
