//! The functions and objects that the states of a machine call.

use async_trait::async_trait;
use serde_json::{Value, json};

/// The error of a task, as a state's `Retry` and `Catch` see it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{error}: {cause}")]
pub struct TaskError {
    /// The error's name, such as `Lambda.TooManyRequestsException` or `Precip.Retryable`.
    pub error: String,
    /// The error's cause, for a person.
    pub cause: String,
}

impl TaskError {
    /// Creates an error.
    pub fn new(error: impl Into<String>, cause: impl Into<String>) -> Self {
        Self {
            error: error.into(),
            cause: cause.into(),
        }
    }
}

impl TaskError {
    /// Returns the error that an execution failed with, of the executions that waited for each other.
    #[must_use]
    pub fn innermost(&self) -> Self {
        let nested: Option<Value> = serde_json::from_str(&self.cause).ok();
        let text = |name: &str| {
            let value = nested.as_ref()?.get(name)?;
            value.as_str().map(str::to_owned)
        };
        match (text("Error"), text("Cause")) {
            (Some(error), Some(cause)) => Self { error, cause }.innermost(),
            _ => self.clone(),
        }
    }
}

/// The functions that a machine calls.
#[async_trait(?Send)]
pub trait Functions {
    /// Calls a function and waits for its answer, in virtual time. `function` is what the machine
    /// names: an ARN, or a substitution such as `${PlannerArn}` without its braces.
    ///
    /// # Errors
    /// The function's own error, or an error of Lambda.
    async fn call_function(&self, function: &str, payload: Value) -> Result<Value, TaskError>;

    /// Returns Lambda's answer to `GetAccountSettings`: here, of an account with the default quota and
    /// without reservations.
    ///
    /// <https://docs.aws.amazon.com/lambda/latest/api/API_GetAccountSettings.html>
    ///
    /// # Errors
    /// An error of Lambda.
    fn account_settings(&self) -> Result<Value, TaskError> {
        Ok(json!({"AccountLimit": {
            "ConcurrentExecutions": 1_000,
            "UnreservedConcurrentExecutions": 1_000,
        }}))
    }
}

/// The objects that a machine reads and writes: manifests, and the results of its maps.
#[async_trait(?Send)]
pub trait Objects {
    /// Returns the content of an object.
    ///
    /// # Errors
    /// An error of S3.
    async fn read_object(&self, bucket: &str, key: &str) -> Result<Vec<u8>, TaskError>;

    /// Writes an object.
    ///
    /// # Errors
    /// An error of S3.
    async fn write_object(
        &self,
        bucket: &str,
        key: &str,
        content: Vec<u8>,
    ) -> Result<(), TaskError>;
}
