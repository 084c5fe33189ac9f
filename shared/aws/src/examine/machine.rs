//! Examination of a state machine.

use aws_sdk_sfn::{
    error::ProvideErrorMetadata,
    types::{StateMachineStatus, StateMachineType},
};
use precip_engine::deployment::Finding;

use crate::{
    Aws,
    error::{ErrorClass, LOG_IN},
};

/// Checks that a state machine exists and can be started.
pub(super) async fn examine_machine(aws: &Aws, machine: &str) -> Finding {
    let what = format!("state machine `{machine}`");
    let describe = aws.step_functions().describe_state_machine();
    let found = describe.state_machine_arn(machine).send().await;
    let (problem, note) = match found {
        Ok(found) if found.status == Some(StateMachineStatus::Deleting) => (
            "is being deleted".to_owned(),
            "deploy the stack once it is gone",
        ),
        Ok(found) if found.r#type != StateMachineType::Standard => (
            format!("is of type {}, and must be STANDARD", found.r#type),
            "set PRECIP_STATE_MACHINE_ARN to the ARN in the stack's outputs",
        ),
        Ok(_) => return Finding::without_problem(what, "can be reached"),
        Err(error) => match (ErrorClass::of_sdk_error(&error), error.code()) {
            (ErrorClass::NotFound, _) | (_, Some("InvalidArn")) => (
                "does not exist".to_owned(),
                "deploy the stack, or set PRECIP_STATE_MACHINE_ARN to the ARN in its outputs",
            ),
            (ErrorClass::AccessDenied, _) => (
                "these credentials may not describe it".to_owned(),
                "give them states:DescribeStateMachine, and states:StartExecution to start runs",
            ),
            (ErrorClass::Credentials, Some(code)) => (code.to_owned(), LOG_IN),
            (_, Some(code)) => (code.to_owned(), "try again in a moment"),
            (_, None) => (
                "Step Functions does not answer".to_owned(),
                "check the network, the region and the endpoint",
            ),
        },
    };
    Finding::with_problem(what, problem, note)
}
