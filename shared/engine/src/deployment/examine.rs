//! The port to what a deployment says of itself: [`Examine`].

use std::fmt::Debug;

use async_trait::async_trait;
use serde::Serialize;

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at, such as ``table `flights` ``.
    pub what: String,
    /// What is wrong; nothing when all is well.
    pub problem: Option<String>,
    /// What to do about it, or what was found when all is well.
    pub note: String,
}

impl Finding {
    /// All is well.
    pub fn well(what: impl Into<String>, note: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            problem: None,
            note: note.into(),
        }
    }

    /// Something is wrong; `note` says what to do about it.
    pub fn wrong(
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

/// Looks for what is wrong with a deployment, and changes nothing.
#[async_trait]
pub trait Examine: Send + Sync + Debug {
    /// What there is to say of each part, in the order in which one needs the other.
    async fn examine(&self) -> Vec<Finding>;
}
