//! Recording of a new run.

use precip_core::plan::Plan;

use crate::{
    run::RunPorts,
    run_id::RunId,
    state::{CreatedRun, NewRun, PlanSummary, RequestedWork, RunKey, StateResult},
};

/// A run to record.
#[derive(Debug, Clone)]
pub struct CreateRun<'a> {
    /// The id, from [`next_run_id`](crate::run::next_run_id).
    pub id: RunId,
    /// The key under which a repeated request returns the same run.
    pub key: Option<RunKey>,
    /// The request as it was made.
    pub request: RequestedWork,
    /// The plan.
    pub plan: &'a Plan,
    /// Location of the whole plan, as the executor reads it.
    pub pointer: Option<String>,
}

/// Records a run, or returns the run that already exists under its key.
///
/// # Errors
/// When the state store cannot be written.
pub async fn create_run(ports: &RunPorts, new: CreateRun<'_>) -> StateResult<CreatedRun> {
    let plan = PlanSummary {
        items: new.plan.pair_count(),
        waves: new.plan.wave_count(),
        assets: new.plan.partition_counts(),
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
