//! A project that is deployed: what the command line needs of it beside the record and the data.
//!
//! The ports stand here, so that commands know no cloud: [`Executions`] starts, follows and stops
//! executions of the project's state machine, [`Examine`] says what is wrong with a deployment. What
//! becomes of a run when its execution ends or is stopped stands with the planner, in
//! [`machine`](crate::machine).

mod examine;
mod executions;
mod name;

pub use examine::{Examine, Finding};
pub use executions::{Execution, ExecutionError, ExecutionStatus, Executions, Started};
pub use name::{MAX_NAME, name_of_key, name_of_key_again};
