//! Putting a new run on record.

use precip_core::plan::Plan;

use crate::{
    run::RunPorts,
    run_id::RunId,
    state::{CreatedRun, NewRun, PlanSummary, RunKey, RunRequest, StateResult},
};

/// A run to be put on record.
#[derive(Debug, Clone)]
pub struct CreateRun<'a> {
    /// Its id, from [`new_run_id`](crate::run::new_run_id).
    pub id: RunId,
    /// What makes a repeated request the same request.
    pub key: Option<RunKey>,
    /// What was asked.
    pub request: RunRequest,
    /// The plan.
    pub plan: &'a Plan,
    /// Where the executor keeps the whole plan.
    pub pointer: Option<String>,
}

/// Puts a run on record, unless there is one of its key already: then answers that one.
///
/// # Errors
/// When the record cannot be written.
pub async fn create_run(ports: &RunPorts, new: CreateRun<'_>) -> StateResult<CreatedRun> {
    let plan = PlanSummary {
        items: new.plan.items(),
        waves: new.plan.waves(),
        assets: new.plan.assets(),
        pointer: new.pointer,
    };
    let run = NewRun {
        id: new.id,
        key: new.key,
        request: new.request,
        plan: Some(plan),
        created_at: ports.clock.now(),
    };
    ports.state.create_run(run).await
}
