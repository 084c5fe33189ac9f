mod executions;
mod launcher;

use aws_sdk_sfn::types::StateMachineType;
use precip_engine::run::{SystemClock, SystemRandomness, new_run_id};

use crate::{
    launch::{MachineArn, SfnExecutions},
    state::dynamo::harness::emulator_aws,
};

fn new_name() -> String {
    new_run_id(&SystemClock, &SystemRandomness).to_string()
}

/// Creates a state machine and its backfill machine under a unique name.
async fn create_machines(definition: &str, backfill: &str) -> (SfnExecutions, MachineArn) {
    let client = emulator_aws().await.step_functions();
    let name = format!("machine-{}", new_name());
    let mut arns = Vec::new();
    for (name, definition) in [
        (name.clone(), definition),
        (format!("{name}-backfill"), backfill),
    ] {
        let create = client
            .create_state_machine()
            .name(name)
            .definition(definition)
            .role_arn("arn:aws:iam::000000000000:role/machine")
            .r#type(StateMachineType::Standard);
        let created = create.send().await.unwrap();
        arns.push(created.state_machine_arn);
    }
    let arn: MachineArn = arns[0].parse().unwrap();
    assert_eq!(arn.backfill_arn(), arns[1]);
    (SfnExecutions::new(client, arn.clone()), arn)
}

const PASS: &str = r#"{"StartAt": "Pass", "States": {"Pass": {"Type": "Pass", "End": true}}}"#;
const FAIL: &str = r#"{"StartAt": "Fail", "States": {"Fail": {
    "Type": "Fail", "Error": "Precip.BadInput", "Cause": "there is no asset `x`"
}}}"#;
const WAIT: &str =
    r#"{"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 600, "End": true}}}"#;
