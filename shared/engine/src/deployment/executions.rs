//! [`Executions`]: the port to executions of a project's state machine.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::{
    machine::{ExecutionEnded, StartInput},
    state::Run,
};

/// The executions of a project's entry state machine.
#[async_trait]
pub trait Executions: Send + Sync + Debug {
    /// Starts an execution under a name. Of several concurrent calls with one name, one starts it.
    ///
    /// # Errors
    /// [`ExecutionError`] when the start is not confirmed; the call may be repeated.
    async fn start_execution(
        &self,
        name: &str,
        input: &StartInput,
    ) -> Result<StartOutcome, ExecutionError>;

    /// Returns an execution; `None` when none has this ARN (any more).
    ///
    /// # Errors
    /// [`ExecutionError`] when the execution cannot be read.
    async fn describe_execution(&self, arn: &str) -> Result<Option<Execution>, ExecutionError>;

    /// Stops an execution and the executions that it waits for. Does nothing once it has ended.
    ///
    /// # Errors
    /// [`ExecutionError`] when something may still be running.
    async fn stop_execution(&self, arn: &str, cause: &str) -> Result<(), ExecutionError>;

    /// Returns the ARN that an execution of a name has or would have.
    fn execution_arn(&self, name: &str) -> String;

    /// Returns the ARN of the execution that owns or owned a run, according to the record. The
    /// execution may not exist (any more).
    fn execution_of_run(&self, run: &Run) -> String {
        // An execution claims its run under its ARN, which is therefore the best evidence.
        if let Some(owner) = &run.owner {
            return owner.id.0.clone();
        }
        // Without an owner, the name of the execution follows from the key or the id of the run.
        match run
            .key
            .as_ref()
            .map(|key| (key.execution_arn(), key.request_key()))
        {
            Some((Some(execution), _)) => execution.to_owned(),
            Some((None, Some(key))) => self.execution_arn(&super::execution_name(key)),
            Some((None, None)) | None => self.execution_arn(&run.id.to_string()),
        }
    }
}

/// The outcome of starting an execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartOutcome {
    /// The execution is under way. Holds its ARN.
    Started(String),
    /// An execution of this name exists, with another input or already ended. Holds its ARN.
    Existing(String),
}

/// The status of an execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExecutionStatus {
    /// Under way.
    Running,
    /// Ended successfully.
    Succeeded,
    /// Ended with an error.
    Failed,
    /// Ended because it exceeded its time limit.
    TimedOut,
    /// Ended because it was stopped.
    Aborted,
}

impl ExecutionStatus {
    /// Returns `true` if it has ended. It may still be redriven.
    pub fn is_ended(self) -> bool {
        self != Self::Running
    }

    /// Returns the name that Step Functions uses, such as `TIMED_OUT`.
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

/// An execution of the state machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Execution {
    /// The ARN.
    pub arn: String,
    /// The name.
    pub name: String,
    /// The status.
    pub status: ExecutionStatus,
    /// The input, as JSON.
    pub input: Option<String>,
    /// The output, as JSON, once it succeeded.
    pub output: Option<String>,
    /// The name of the error, if it failed.
    pub error: Option<String>,
    /// The cause of the error, for people.
    pub cause: Option<String>,
}

impl Execution {
    /// Returns the event that Step Functions sends when the execution ends.
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

/// A failure to start, read or stop an execution.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ExecutionError {
    /// The problem.
    pub message: String,
    /// The way to fix it.
    pub help: String,
    /// `true` if repeating the call a little later may succeed without intervention.
    pub retryable: bool,
}
