//! A state machine.

use aws_sdk_sfn::{
    error::ProvideErrorMetadata,
    types::{StateMachineStatus, StateMachineType},
};
use precip_engine::deployment::Finding;

use crate::Aws;

/// Whether a state machine is there and can be started.
pub(super) async fn examine(aws: &Aws, machine: &str) -> Finding {
    let what = format!("state machine `{machine}`");
    let describe = aws.step_functions().describe_state_machine();
    let found = describe.state_machine_arn(machine).send().await;
    let (problem, note) = match found {
        Ok(found) if found.status == Some(StateMachineStatus::Deleting) => (
            "is being deleted".to_owned(),
            "deploy the stack once it is gone",
        ),
        Ok(found) if found.r#type != StateMachineType::Standard => (
            format!("is of type {}, and has to be STANDARD", found.r#type),
            "set PRECIP_STATE_MACHINE_ARN to what the stack's outputs say",
        ),
        Ok(_) => return Finding::well(what, "can be reached"),
        Err(error) => match error.code() {
            Some("StateMachineDoesNotExist" | "InvalidArn") => (
                "is not there".to_owned(),
                "deploy the stack, or set PRECIP_STATE_MACHINE_ARN to what its outputs say",
            ),
            Some("AccessDeniedException") => (
                "these credentials may not look at it".to_owned(),
                "give them states:DescribeStateMachine, and states:StartExecution to start runs",
            ),
            Some(code) => (code.to_owned(), "log in again if it is about credentials"),
            None => (
                "Step Functions does not answer".to_owned(),
                "check the network, the region and the endpoint",
            ),
        },
    };
    Finding::wrong(what, problem, note)
}
