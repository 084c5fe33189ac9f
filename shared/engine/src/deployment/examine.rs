//! [`DeploymentExaminer`]: the port to the diagnosis of a deployment.

use std::fmt::Debug;

use async_trait::async_trait;
use serde::Serialize;

/// The result of examining one part of a deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The examined part, such as ``table `flights` ``.
    pub what: String,
    /// The problem, if any.
    pub problem: Option<String>,
    /// The way to fix the problem, or the state of a part without one.
    pub note: String,
}

impl Finding {
    /// Creates a finding without a problem.
    pub fn without_problem(what: impl Into<String>, note: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            problem: None,
            note: note.into(),
        }
    }

    /// Creates a finding with a problem; `note` says how to fix it.
    pub fn with_problem(
        what: impl Into<String>,
        problem: impl Into<String>,
        note: impl Into<String>,
    ) -> Self {
        Self {
            what: what.into(),
            problem: Some(problem.into()),
            note: note.into(),
        }
    }
}

/// A diagnosis of a deployment, which changes nothing.
#[async_trait]
pub trait DeploymentExaminer: Send + Sync + Debug {
    /// Returns a finding for each part, ordered by dependency.
    async fn examine_deployment(&self) -> Vec<Finding>;
}
