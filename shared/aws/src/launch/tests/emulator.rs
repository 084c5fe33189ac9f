mod executions;
mod launcher;

use std::env;

use aws_config::BehaviorVersion;
use aws_sdk_sfn::types::StateMachineType;
use precip_engine::run::{SystemClock, SystemRandomness, new_run_id};

use crate::{
    Aws,
    launch::{MachineArn, SfnExecutions},
};

async fn aws() -> Aws {
    let endpoint = env::var("PRECIP_TEST_AWS_ENDPOINT")
        .expect("these tests run under `tests/emulator cargo nextest run -p precip-aws`");
    let config = aws_config::defaults(BehaviorVersion::latest()).endpoint_url(endpoint);
    Aws::new(config.load().await)
}

fn new_name() -> String {
    new_run_id(&SystemClock, &SystemRandomness).to_string()
}

/// A state machine of a test's own, and the one for its large runs.
async fn machine(definition: &str, backfill: &str) -> (SfnExecutions, MachineArn) {
    let client = aws().await.step_functions();
    let name = format!("machine-{}", new_name());
    let mut arns = Vec::new();
    for (name, definition) in [
        (name.clone(), definition),
        (format!("{name}-backfill"), backfill),
    ] {
        let create = client.create_state_machine().name(name);
        let create = create
            .definition(definition)
            .role_arn("arn:aws:iam::000000000000:role/machine")
            .r#type(StateMachineType::Standard);
        let created = create.send().await.unwrap();
        arns.push(created.state_machine_arn);
    }
    let arn: MachineArn = arns[0].parse().unwrap();
    assert_eq!(arn.backfill(), arns[1]);
    (SfnExecutions::new(client, arn.clone()), arn)
}

const PASS: &str = r#"{"StartAt": "Pass", "States": {"Pass": {"Type": "Pass", "End": true}}}"#;
const FAIL: &str = r#"{"StartAt": "Fail", "States": {"Fail": {
    "Type": "Fail", "Error": "Precip.BadInput", "Cause": "there is no asset `x`"
}}}"#;
const WAIT: &str =
    r#"{"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 600, "End": true}}}"#;
