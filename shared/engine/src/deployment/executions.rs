//! The port to executions of a project's state machine: [`Executions`].

use std::fmt::Debug;

use async_trait::async_trait;

use crate::{
    machine::{ExecutionEnded, StartInput},
    state::Run,
};

/// Executions of the state machine that people start.
#[async_trait]
pub trait Executions: Send + Sync + Debug {
    /// Starts an execution under a name. Of all that start one of the same name, one does.
    ///
    /// # Errors
    /// [`ExecutionError`] when it is not known to have been started: the same call may be made again.
    async fn start(&self, name: &str, input: &StartInput) -> Result<Started, ExecutionError>;

    /// How an execution stands; `None` when there is none of this ARN (any more).
    ///
    /// # Errors
    /// [`ExecutionError`] when that cannot be known.
    async fn describe(&self, arn: &str) -> Result<Option<Execution>, ExecutionError>;

    /// Stops an execution, and what it started and waits for. Does nothing to what has ended.
    ///
    /// # Errors
    /// [`ExecutionError`] when something may still be running.
    async fn stop(&self, arn: &str, cause: &str) -> Result<(), ExecutionError>;

    /// The ARN of the execution of a name, whether there is one or not.
    fn arn(&self, name: &str) -> String;

    /// The ARN of the execution that works, or worked, for a run, as far as the record tells: of
    /// several that meant the same request, the one that has the run. The execution may not be there
    /// (any more).
    fn of_run(&self, run: &Run) -> String {
        if let Some(owner) = &run.owner {
            return owner.id.0.clone();
        }
        match run.key.as_ref().map(|key| (key.execution(), key.request())) {
            Some((Some(execution), _)) => execution.to_owned(),
            Some((None, Some(key))) => self.arn(&super::name_of_key(key)),
            Some((None, None)) | None => self.arn(&run.id.to_string()),
        }
    }
}

/// The answer to starting an execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Started {
    /// It is under way. Its ARN.
    Now(String),
    /// There was one of this name, with another input or ended already. Its ARN.
    Before(String),
}

/// Where an execution is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExecutionStatus {
    /// At work.
    Running,
    /// It came to its end, and nothing failed.
    Succeeded,
    /// It failed.
    Failed,
    /// It took longer than it may.
    TimedOut,
    /// It was stopped.
    Aborted,
}

impl ExecutionStatus {
    /// Whether nothing happens in it any more, unless it is redriven.
    pub fn is_ended(self) -> bool {
        self != Self::Running
    }

    /// The status as Step Functions writes it, such as `TIMED_OUT`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::TimedOut => "TIMED_OUT",
            Self::Aborted => "ABORTED",
        }
    }
}

/// An execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Execution {
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// Where it is in its life.
    pub status: ExecutionStatus,
    /// What it was started with, as JSON.
    pub input: Option<String>,
    /// What it answered, as JSON, once it succeeded.
    pub output: Option<String>,
    /// The name of the error that it failed with.
    pub error: Option<String>,
    /// Why it failed, for a person.
    pub cause: Option<String>,
}

impl Execution {
    /// The same as the event that Step Functions sends when an execution ends.
    pub fn as_ended(&self) -> ExecutionEnded {
        ExecutionEnded {
            execution_arn: self.arn.clone(),
            name: self.name.clone(),
            status: self.status.as_str().to_owned(),
            input: self.input.clone(),
            error: self.error.clone(),
            cause: self.cause.clone(),
        }
    }
}

/// Executions that cannot be started, read or stopped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ExecutionError {
    /// What was wrong.
    pub message: String,
    /// What to do about it.
    pub help: String,
    /// Whether the same call, made a little later, may succeed with nobody's help.
    pub retryable: bool,
}
