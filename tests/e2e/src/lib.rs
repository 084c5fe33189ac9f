//! Support shared by the end-to-end tests.

mod project;
pub mod stored;

pub use project::{Answer, Project, interrupt_process, landing_folder, split_words};
