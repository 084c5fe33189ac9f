//! [`CompileOptions`].

use std::time::Duration;

/// Settings of the machines that the graph does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompileOptions {
    /// The project's name, for the machines' comments.
    pub project: String,
    /// The timeout of the planner's function: up to 900 s.
    pub planner_timeout: Duration,
}

impl CompileOptions {
    /// Returns options for a project, with a planner timeout of five minutes.
    pub fn new(project: impl Into<String>) -> Self {
        Self {
            project: project.into(),
            planner_timeout: Duration::from_secs(300),
        }
    }
}
