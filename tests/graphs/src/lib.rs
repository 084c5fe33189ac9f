//! A project that a JSON document describes, so that tests and benchmarks can run the same graph, with the
//! same faults, on a laptop and on AWS.

mod body;
mod declare;
#[cfg(feature = "aws")]
pub mod deployment;
pub mod description;
mod document;
mod kills;
mod random;
pub mod rights;
mod route;

pub use declare::declare_project;
pub use document::{DOCUMENT_VARIABLE, deployment_command, load_definitions, read_document};
pub use kills::{MEAN_LIFE_FILE, abort_by_mean_life, abort_in_first_second};
pub use random::{Trouble, component_groups, random_project};
pub use route::call_through_proxy;
