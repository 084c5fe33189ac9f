use std::time::Duration;

use precip_engine::{
    deployment::{Execution, ExecutionStatus, Executions, StartOutcome},
    machine::StartInput,
};

use super::{FAIL, PASS, WAIT, create_machines, new_name};
use crate::{launch::SfnExecutions, state::dynamo::harness::emulator_aws};

fn start_input(select: &str) -> StartInput {
    StartInput {
        select: select.to_owned(),
        ..StartInput::default()
    }
}

async fn wait_until_ended(executions: &SfnExecutions, arn: &str) -> Execution {
    for _ in 0..200 {
        let found = executions.describe_execution(arn).await.unwrap().unwrap();
        if found.status.is_ended() {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{arn} never ends");
}

#[tokio::test]
async fn an_execution_is_started_once_under_a_name() {
    let (executions, _) = create_machines(PASS, PASS).await;
    let name = new_name();
    let started = executions
        .start_execution(&name, &start_input("flights+"))
        .await
        .unwrap();
    let arn = executions.execution_arn(&name);
    assert_eq!(started, StartOutcome::Started(arn.clone()));
    let found = wait_until_ended(&executions, &arn).await;
    assert_eq!(found.status, ExecutionStatus::Succeeded);
    assert_eq!(found.name, name);
    for text in [found.input.unwrap(), found.output.unwrap()] {
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read, serde_json::json!({"select": "flights+"}));
    }
    let again = executions
        .start_execution(&name, &start_input("other"))
        .await
        .unwrap();
    // The second start is refused by its name, whatever its input.
    assert_eq!(again, StartOutcome::Existing(arn));
}

#[tokio::test]
async fn a_failure_says_why() {
    let (executions, _) = create_machines(FAIL, PASS).await;
    let name = new_name();
    executions
        .start_execution(&name, &start_input("x"))
        .await
        .unwrap();
    let found = wait_until_ended(&executions, &executions.execution_arn(&name)).await;
    assert_eq!(found.status, ExecutionStatus::Failed);
    assert_eq!(found.error.as_deref(), Some("Precip.BadInput"));
    assert_eq!(found.cause.as_deref(), Some("there is no asset `x`"));
}

#[tokio::test]
async fn stopping_an_execution_stops_its_backfills() {
    let (executions, arn) = create_machines(WAIT, WAIT).await;
    let client = emulator_aws().await.step_functions();
    let [name, other] = [new_name(), new_name()];
    for name in [&name, &other] {
        // Two executions, each with a backfill of its own.
        executions
            .start_execution(name, &start_input("x"))
            .await
            .unwrap();
        let by = serde_json::json!({
            "run": name, "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID": executions.execution_arn(name),
        });
        let start = client
            .start_execution()
            .state_machine_arn(arn.backfill_arn());
        let backfill = start.name(name.as_str()).input(by.to_string());
        backfill.send().await.unwrap();
    }
    executions
        .stop_execution(&executions.execution_arn(&name), "canceled by command")
        .await
        .unwrap();
    // Only the first execution and its backfill are stopped.
    let child = |name: &str| {
        let arn = executions.execution_arn(name);
        arn.replacen(&format!(":{name}"), &format!("-backfill:{name}"), 1)
    };
    for arn in [executions.execution_arn(&name), child(&name)] {
        let found = wait_until_ended(&executions, &arn).await;
        assert_eq!(found.status, ExecutionStatus::Aborted, "{arn}");
        assert_eq!(found.cause.as_deref(), Some("canceled by command"));
    }
    for arn in [executions.execution_arn(&other), child(&other)] {
        let found = executions.describe_execution(&arn).await.unwrap().unwrap();
        assert_eq!(found.status, ExecutionStatus::Running, "{arn}");
    }
    let arn = executions.execution_arn(&other);
    executions
        .stop_execution(&arn, "the test is over")
        .await
        .unwrap();
    // Stopping it a second time changes nothing.
    let stopped = executions.execution_arn(&name);
    executions.stop_execution(&stopped, "again").await.unwrap();
    assert_eq!(
        wait_until_ended(&executions, &stopped)
            .await
            .cause
            .as_deref(),
        Some("canceled by command")
    );
}

#[tokio::test]
async fn a_missing_execution_is_none() {
    let (executions, _) = create_machines(PASS, PASS).await;
    let missing = executions.execution_arn("missing");
    assert_eq!(executions.describe_execution(&missing).await.unwrap(), None);
    executions
        .stop_execution(&missing, "for nothing")
        .await
        .unwrap();
}

#[tokio::test]
async fn a_missing_machine_is_named() {
    let client = emulator_aws().await.step_functions();
    let arn = "arn:aws:states:us-east-1:000000000000:stateMachine:nowhere";
    let executions = SfnExecutions::new(client, arn.parse().unwrap());
    let error = executions
        .start_execution("x", &start_input("x"))
        .await
        .unwrap_err();
    assert_eq!(
        error.message,
        format!(
            "could not start the run: there is no state machine `{arn}` in this account and region"
        )
    );
    assert!(error.help.contains("deploy the stack"), "{}", error.help);
}
