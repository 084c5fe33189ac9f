//! What a state of a machine calls: functions and objects.

use async_trait::async_trait;
use serde_json::Value;

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

/// The functions that a machine calls.
#[async_trait(?Send)]
pub trait Functions {
    /// Calls a function and waits for its answer, in virtual time. `function` is what the machine
    /// names: an ARN, or a substitution such as `${PlannerArn}` without its braces.
    ///
    /// # Errors
    /// The function's own error, or an error of Lambda.
    async fn call_function(&self, function: &str, payload: Value) -> Result<Value, TaskError>;
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
