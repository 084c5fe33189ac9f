//! [`SfnExecutions`].

use async_trait::async_trait;
use aws_sdk_sfn::{
    Client,
    error::SdkError,
    operation::{
        describe_execution::{DescribeExecutionError, DescribeExecutionOutput},
        start_execution::StartExecutionError,
        stop_execution::StopExecutionError,
    },
    types::ExecutionStatus as Status,
};
use precip_engine::{
    deployment::{Execution, ExecutionError, ExecutionStatus, Executions, StartOutcome},
    machine::StartInput,
};

use super::{MachineArn, error::sdk_error};

/// The largest input of an execution, in bytes.
///
/// Source: <https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html>
const MAX_INPUT: usize = 256 * 1024;

/// The longest cause of a stop, in characters.
///
/// Source: <https://docs.aws.amazon.com/step-functions/latest/apireference/API_StopExecution.html>
const MAX_CAUSE: usize = 1_000;

/// The field of a backfill's input that holds the ARN of the execution waiting for it.
const STARTED_BY: &str = "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID";

/// The executions of a state machine on Step Functions.
#[derive(Debug, Clone)]
pub struct SfnExecutions {
    client: Client,
    machine: MachineArn,
}

impl SfnExecutions {
    /// Manages the executions of a machine, and of the one named `{machine}-backfill`, which the
    /// generated template creates for large runs.
    pub fn new(client: Client, machine: MachineArn) -> Self {
        Self { client, machine }
    }

    fn call_error<E>(&self, action: &str, error: &SdkError<E>) -> ExecutionError
    where
        E: std::error::Error + aws_sdk_sfn::error::ProvideErrorMetadata + Send + Sync + 'static,
    {
        sdk_error(&self.machine.to_string(), action, error)
    }

    async fn stop_one(&self, arn: &str, cause: &str) -> Result<(), ExecutionError> {
        let stop = self.client.stop_execution().execution_arn(arn);
        let short_cause: String = cause.chars().take(MAX_CAUSE).collect();
        match stop
            .error("Precip.Canceled")
            .cause(short_cause)
            .send()
            .await
        {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                // A stop of an execution that has ended succeeds as well.
                Some(StopExecutionError::ExecutionDoesNotExist(_)) => Ok(()),
                _ => Err(self.call_error("stop the execution", &error)),
            },
        }
    }

    /// Lists the running backfills that an execution waits for. Step Functions stops children only on
    /// a best-effort basis, so they are also stopped one by one.
    async fn backfills_of(&self, arn: &str) -> Result<Vec<String>, ExecutionError> {
        let mut pages = self
            .client
            .list_executions()
            .state_machine_arn(self.machine.backfill_arn())
            .status_filter(Status::Running)
            .into_paginator()
            .items()
            .send();
        let mut found = Vec::new();
        while let Some(listed) = pages.next().await {
            let listed = match listed {
                Ok(listed) => listed,
                Err(error) if is_without_backfills(&error) => return Ok(found),
                Err(error) => return Err(self.call_error("list the backfills", &error)),
            };
            let backfill = self.describe_execution(&listed.execution_arn).await?;
            let input = backfill.and_then(|backfill| backfill.input);
            if input.is_some_and(|input| is_started_by(&input, arn)) {
                found.push(listed.execution_arn);
            }
        }
        Ok(found)
    }
}

/// Returns `true` if there is no backfill machine: the stack was deployed without it.
fn is_without_backfills(
    error: &SdkError<aws_sdk_sfn::operation::list_executions::ListExecutionsError>,
) -> bool {
    use aws_sdk_sfn::operation::list_executions::ListExecutionsError::StateMachineDoesNotExist;
    matches!(error.as_service_error(), Some(StateMachineDoesNotExist(_)))
}

fn is_started_by(input: &str, arn: &str) -> bool {
    let input: Result<serde_json::Value, _> = serde_json::from_str(input);
    input.is_ok_and(|input| input.get(STARTED_BY).and_then(|by| by.as_str()) == Some(arn))
}

#[async_trait]
impl Executions for SfnExecutions {
    async fn start_execution(
        &self,
        name: &str,
        input: &StartInput,
    ) -> Result<StartOutcome, ExecutionError> {
        let unusable = |message: String, help: &str| ExecutionError {
            message,
            help: help.to_owned(),
            retryable: false,
        };
        let input = serde_json::to_string(input).map_err(|error| {
            unusable(
                format!("the input cannot be written as JSON: {error}"),
                "check the values in the config",
            )
        })?;
        if input.len() > MAX_INPUT {
            // Checked here because the service's own refusal does not say how to make the request smaller.
            return Err(unusable(
                format!(
                    "the request is {} KiB, and Step Functions accepts 256",
                    input.len() / 1024
                ),
                "write partitions as ranges like `A...B`, or `missing`, rather than one by one; keep \
                 config small",
            ));
        }
        let start = self
            .client
            .start_execution()
            .state_machine_arn(self.machine.to_string())
            .name(name)
            .input(input);
        match start.send().await {
            Ok(started) => Ok(StartOutcome::Started(started.execution_arn)),
            Err(error) => match error.as_service_error() {
                Some(StartExecutionError::ExecutionAlreadyExists(_)) => {
                    // The name is the run's: an earlier call has started this run.
                    Ok(StartOutcome::Existing(self.execution_arn(name)))
                }
                _ => Err(self.call_error("start the run", &error)),
            },
        }
    }

    async fn describe_execution(&self, arn: &str) -> Result<Option<Execution>, ExecutionError> {
        let describe = self.client.describe_execution().execution_arn(arn);
        match describe.send().await {
            Ok(found) => Ok(Some(to_execution(found))),
            Err(error) => match error.as_service_error() {
                Some(
                    DescribeExecutionError::ExecutionDoesNotExist(_)
                    // The record may hold an execution that ran elsewhere, such as on a laptop.
                    | DescribeExecutionError::InvalidArn(_),
                ) => Ok(None),
                _ => Err(self.call_error("look at the execution", &error)),
            },
        }
    }

    async fn stop_execution(&self, arn: &str, cause: &str) -> Result<(), ExecutionError> {
        // The waiting execution is stopped first: it would record a stopped backfill as failed.
        self.stop_one(arn, cause).await?;
        for backfill in self.backfills_of(arn).await? {
            self.stop_one(&backfill, cause).await?;
        }
        Ok(())
    }

    fn execution_arn(&self, name: &str) -> String {
        self.machine.execution_arn(name)
    }
}

fn to_execution(found: DescribeExecutionOutput) -> Execution {
    let status = match found.status {
        Status::Succeeded => ExecutionStatus::Succeeded,
        Status::Failed => ExecutionStatus::Failed,
        Status::TimedOut => ExecutionStatus::TimedOut,
        Status::Aborted => ExecutionStatus::Aborted,
        // Running, pending a redrive, or a status newer than this code: it has not ended.
        _ => ExecutionStatus::Running,
    };
    let name = match found.name {
        // The name is optional in the answer, and always the last part of the ARN.
        Some(name) => name,
        None => found
            .execution_arn
            .rsplit(':')
            .next()
            .unwrap_or_default()
            .to_owned(),
    };
    Execution {
        arn: found.execution_arn,
        name,
        status,
        input: found.input,
        output: found.output,
        error: found.error,
        cause: found.cause,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backfill_names_the_execution_that_waits_for_it() {
        let input = format!(r#"{{"run": "01J", "{STARTED_BY}": "arn:one"}}"#);
        assert!(is_started_by(&input, "arn:one"));
        assert!(!is_started_by(&input, "arn:on"));
        assert!(!is_started_by("{}", "arn:one"));
        assert!(!is_started_by("no JSON", "arn:one"));
    }
}
