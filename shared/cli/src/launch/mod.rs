//! Starting and resuming runs: on this machine, and in [`remote`] on a deployment.

mod hint;
mod open;
mod plan_file;
mod remote;
mod report;
mod resume;
mod retry;
mod start;
mod stop;
mod triggers;

pub(crate) use open::{chosen_environment, open_io_managers, open_run_session};
pub(crate) use plan_file::write_plan;
pub(crate) use remote::{ReconciledRun, await_run_start, reconcile_run};
pub(crate) use resume::resume_run;
pub(crate) use retry::retry_run;
pub(crate) use start::{
    Request, count_steps, find_partition_mismatch, home_failure, materialize_assets, new_executor,
    nothing_to_do_message, plan_request, print_waiting,
};
pub(crate) use triggers::{preview_trigger_ports, trigger_ports};
