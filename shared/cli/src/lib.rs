//! The command line of every Precip project's binary.
//!
//! [`main`] is the entry point. [`target`] holds the port to a cloud that the facade implements, and
//! [`env`](mod@env) the environment variables.

mod answers;
mod app;
mod args;
mod command;
mod dev;
mod dispatch;
pub mod env;
mod exit;
mod failure;
mod findings;
mod graph;
mod label;
mod launch;
mod open;
mod output;
mod progress;
mod project_name;
mod session;
mod states;
pub mod target;

pub use app::main;

/// Access for this crate's own tests under `tests/`; not part of the interface.
#[doc(hidden)]
pub mod testing {
    pub use crate::{
        args::Root, dispatch::dispatch, exit::Exit, failure::Failure, session::Session,
    };
}
