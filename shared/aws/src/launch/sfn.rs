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
    deployment::{Execution, ExecutionError, ExecutionStatus, Executions, Started},
    machine::StartInput,
};

use super::{MachineArn, error::of_sdk};

/// How long an input may be, in bytes.
///
/// Source: <https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html>
const MOST_INPUT: usize = 256 * 1024;

/// How long a cause may be, in characters.
///
/// Source: <https://docs.aws.amazon.com/step-functions/latest/apireference/API_StopExecution.html>
const MOST_CAUSE: usize = 1_000;

/// The field of a backfill's input that names the execution which waits for it.
const STARTED_BY: &str = "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID";

/// Executions of a state machine on Step Functions.
#[derive(Debug, Clone)]
pub struct SfnExecutions {
    client: Client,
    machine: MachineArn,
}

impl SfnExecutions {
    /// The executions of a machine. The machine that it hands large runs to is the one with
    /// `-backfill` behind its name, as the generated template has it.
    pub fn new(client: Client, machine: MachineArn) -> Self {
        Self { client, machine }
    }

    fn failed<E>(&self, doing: &str, error: &SdkError<E>) -> ExecutionError
    where
        E: std::error::Error + aws_sdk_sfn::error::ProvideErrorMetadata + Send + Sync + 'static,
    {
        of_sdk(&self.machine.to_string(), doing, error)
    }

    async fn stop_one(&self, arn: &str, cause: &str) -> Result<(), ExecutionError> {
        let stop = self.client.stop_execution().execution_arn(arn);
        let cause: String = cause.chars().take(MOST_CAUSE).collect();
        match stop.error("Precip.Canceled").cause(cause).send().await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(StopExecutionError::ExecutionDoesNotExist(_)) => Ok(()),
                _ => Err(self.failed("stop the execution", &error)),
            },
        }
    }

    /// The backfills under way that an execution waits for. Step Functions stops them with it, as
    /// well as it can; nothing is left to chance here.
    async fn backfills_of(&self, arn: &str) -> Result<Vec<String>, ExecutionError> {
        let list = self.client.list_executions();
        let list = list.state_machine_arn(self.machine.backfill());
        let mut pages = list
            .status_filter(Status::Running)
            .into_paginator()
            .items()
            .send();
        let mut found = Vec::new();
        while let Some(listed) = pages.next().await {
            let listed = match listed {
                Ok(listed) => listed,
                Err(error) if is_without_backfills(&error) => return Ok(found),
                Err(error) => return Err(self.failed("list the backfills", &error)),
            };
            let backfill = self.describe(&listed.execution_arn).await?;
            let input = backfill.and_then(|backfill| backfill.input);
            if input.is_some_and(|input| is_started_by(&input, arn)) {
                found.push(listed.execution_arn);
            }
        }
        Ok(found)
    }
}

/// Whether there is no machine for large runs: somebody deployed the other one by itself.
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
    async fn start(&self, name: &str, input: &StartInput) -> Result<Started, ExecutionError> {
        let unusable = |message: String, help: &str| ExecutionError {
            message,
            help: help.to_owned(),
            retryable: false,
        };
        let input = serde_json::to_string(input).map_err(|error| {
            unusable(
                format!("the input cannot be written as JSON: {error}"),
                "look at the config",
            )
        })?;
        if input.len() > MOST_INPUT {
            return Err(unusable(
                format!(
                    "the request is {} KiB, and Step Functions takes 256",
                    input.len() / 1024
                ),
                "write partitions as ranges like `A...B`, or `missing`, rather than one by one; keep \
                 config small",
            ));
        }
        let start = self.client.start_execution();
        let start = start.state_machine_arn(self.machine.to_string());
        match start.name(name).input(input).send().await {
            Ok(started) => Ok(Started::Now(started.execution_arn)),
            Err(error) => match error.as_service_error() {
                Some(StartExecutionError::ExecutionAlreadyExists(_)) => {
                    Ok(Started::Before(self.arn(name)))
                }
                _ => Err(self.failed("start the run", &error)),
            },
        }
    }

    async fn describe(&self, arn: &str) -> Result<Option<Execution>, ExecutionError> {
        let describe = self.client.describe_execution().execution_arn(arn);
        match describe.send().await {
            Ok(found) => Ok(Some(execution(found))),
            Err(error) => match error.as_service_error() {
                Some(
                    DescribeExecutionError::ExecutionDoesNotExist(_)
                    // The record may hold the name of an execution of another place.
                    | DescribeExecutionError::InvalidArn(_),
                ) => Ok(None),
                _ => Err(self.failed("look at the execution", &error)),
            },
        }
    }

    async fn stop(&self, arn: &str, cause: &str) -> Result<(), ExecutionError> {
        // What waits first: it would take a backfill that was stopped for one that failed.
        self.stop_one(arn, cause).await?;
        for backfill in self.backfills_of(arn).await? {
            self.stop_one(&backfill, cause).await?;
        }
        Ok(())
    }

    fn arn(&self, name: &str) -> String {
        self.machine.execution(name)
    }
}

fn execution(found: DescribeExecutionOutput) -> Execution {
    let status = match found.status {
        Status::Succeeded => ExecutionStatus::Succeeded,
        Status::Failed => ExecutionStatus::Failed,
        Status::TimedOut => ExecutionStatus::TimedOut,
        Status::Aborted => ExecutionStatus::Aborted,
        // Running, about to be redriven, or something newer than this: not at its end.
        _ => ExecutionStatus::Running,
    };
    let name = match found.name {
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
    fn a_backfill_names_who_waits_for_it() {
        let input = format!(r#"{{"run": "01J", "{STARTED_BY}": "arn:one"}}"#);
        assert!(is_started_by(&input, "arn:one"));
        assert!(!is_started_by(&input, "arn:on"));
        assert!(!is_started_by("{}", "arn:one"));
        assert!(!is_started_by("no JSON", "arn:one"));
    }
}
