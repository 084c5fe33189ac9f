//! Starting runs, and taking them up again: on this machine, and in [`remote`] on a deployment.

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

pub(crate) use open::{environment, io_managers, run_session};
pub(crate) use remote::{Settled, begun, settle};
pub use resume::resume;
pub use retry::retry;
pub use start::{Request, materialize, plan};
pub(crate) use start::{home_failure, nothing_to_do, same_partitions, steps};
pub(crate) use triggers::{trigger_ports, trigger_ports_with};
pub(crate) mod plans {
    //! Plans that are kept beside the record.
    pub(crate) use super::plan_file::write;
}
