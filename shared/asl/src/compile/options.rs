//! [`CompileOptions`].

use std::time::Duration;

/// What a graph does not say about its machines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompileOptions {
    /// The project's name, for the machines' comments.
    pub project: String,
    /// How long the planner may take for one call, as its function is deployed: up to 900 s.
    pub planner_timeout: Duration,
}

impl CompileOptions {
    /// A project whose planner has five minutes.
    pub fn new(project: impl Into<String>) -> Self {
        Self {
            project: project.into(),
            planner_timeout: Duration::from_secs(300),
        }
    }
}
