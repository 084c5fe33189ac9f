//! Support shared by the end-to-end tests.

mod project;

pub use project::{Answer, Project, interrupt, landing, words};
