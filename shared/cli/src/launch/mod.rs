//! Starting runs on this machine, and taking them up again.

mod hint;
mod open;
mod plan_file;
mod report;
mod resume;
mod retry;
mod start;
mod stop;
mod triggers;

pub(crate) use open::{data, environment, run_session};
pub use resume::resume;
pub use retry::retry;
pub use start::{Request, materialize, plan};
pub(crate) use start::{home_failure, nothing_to_do, steps};
pub(crate) use triggers::{trigger_ports, trigger_ports_with};
pub(crate) mod plans {
    //! Plans that are kept beside the record.
    pub(crate) use super::plan_file::write;
}
