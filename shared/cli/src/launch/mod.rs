//! Starting runs on this machine, and taking them up again.

mod hint;
mod open;
mod plan_file;
mod report;
mod resume;
mod retry;
mod start;
mod stop;

pub(crate) use open::{data, environment};
pub use resume::resume;
pub use retry::retry;
pub use start::{Request, materialize, plan};
pub(crate) use start::{home_failure, nothing_to_do};
