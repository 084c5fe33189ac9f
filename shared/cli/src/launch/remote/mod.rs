//! Runs on a deployment: starting, following and retrying them.

mod await_start;
mod failure;
mod follow;
mod options;
mod reconcile;
mod retry;
mod run_key;
mod start;

pub(crate) use await_start::await_run_start;
use failure::{execution_failure, planner_failure};
pub(super) use options::refuse_local_options;
pub(crate) use reconcile::{ReconciledRun, reconcile_run};
pub(super) use retry::retry_run;
pub(super) use run_key::materialize_once;
pub(super) use start::{RunStart, start_run};
