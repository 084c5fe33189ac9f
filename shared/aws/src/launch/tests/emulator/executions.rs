use std::time::Duration;

use precip_engine::{
    deployment::{Execution, ExecutionStatus, Executions, Started},
    machine::StartInput,
};

use super::{FAIL, PASS, WAIT, aws, machine, new_name};
use crate::launch::SfnExecutions;

fn input(select: &str) -> StartInput {
    StartInput {
        select: select.to_owned(),
        ..StartInput::default()
    }
}

async fn ended(executions: &SfnExecutions, arn: &str) -> Execution {
    for _ in 0..200 {
        let found = executions.describe(arn).await.unwrap().unwrap();
        if found.status.is_ended() {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{arn} never ends");
}

#[tokio::test]
async fn an_execution_is_started_once_under_a_name() {
    let (executions, _) = machine(PASS, PASS).await;
    let name = new_name();
    let started = executions.start(&name, &input("flights+")).await.unwrap();
    let arn = executions.arn(&name);
    assert_eq!(started, Started::Now(arn.clone()));
    let found = ended(&executions, &arn).await;
    assert_eq!(found.status, ExecutionStatus::Succeeded);
    assert_eq!(found.name, name);
    for text in [found.input.unwrap(), found.output.unwrap()] {
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read, serde_json::json!({"select": "flights+"}));
    }
    let again = executions.start(&name, &input("other")).await.unwrap();
    assert_eq!(again, Started::Before(arn));
}

#[tokio::test]
async fn a_failure_says_why() {
    let (executions, _) = machine(FAIL, PASS).await;
    let name = new_name();
    executions.start(&name, &input("x")).await.unwrap();
    let found = ended(&executions, &executions.arn(&name)).await;
    assert_eq!(found.status, ExecutionStatus::Failed);
    assert_eq!(found.error.as_deref(), Some("Precip.BadInput"));
    assert_eq!(found.cause.as_deref(), Some("there is no asset `x`"));
}

#[tokio::test]
async fn stopping_stops_what_was_started_as_well() {
    let (executions, arn) = machine(WAIT, WAIT).await;
    let client = aws().await.step_functions();
    let [name, other] = [new_name(), new_name()];
    for name in [&name, &other] {
        executions.start(name, &input("x")).await.unwrap();
        let by = serde_json::json!({
            "run": name, "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID": executions.arn(name),
        });
        let child = client.start_execution().state_machine_arn(arn.backfill());
        let child = child.name(name.as_str()).input(by.to_string());
        child.send().await.unwrap();
    }
    executions
        .stop(&executions.arn(&name), "canceled by command")
        .await
        .unwrap();
    let child = |name: &str| {
        let arn = executions.arn(name);
        arn.replacen(&format!(":{name}"), &format!("-backfill:{name}"), 1)
    };
    for arn in [executions.arn(&name), child(&name)] {
        let found = ended(&executions, &arn).await;
        assert_eq!(found.status, ExecutionStatus::Aborted, "{arn}");
        assert_eq!(found.cause.as_deref(), Some("canceled by command"));
    }
    for arn in [executions.arn(&other), child(&other)] {
        let found = executions.describe(&arn).await.unwrap().unwrap();
        assert_eq!(found.status, ExecutionStatus::Running, "{arn}");
    }
    let arn = executions.arn(&other);
    executions.stop(&arn, "the test is over").await.unwrap();
    // Once more does no harm.
    let stopped = executions.arn(&name);
    executions.stop(&stopped, "again").await.unwrap();
    assert_eq!(
        ended(&executions, &stopped).await.cause.as_deref(),
        Some("canceled by command")
    );
}

#[tokio::test]
async fn an_execution_that_is_not_there_is_nothing() {
    let (executions, _) = machine(PASS, PASS).await;
    let nobody = executions.arn("nobody");
    assert_eq!(executions.describe(&nobody).await.unwrap(), None);
    executions.stop(&nobody, "for nothing").await.unwrap();
}

#[tokio::test]
async fn a_machine_that_is_not_there_is_named() {
    let client = aws().await.step_functions();
    let arn = "arn:aws:states:us-east-1:000000000000:stateMachine:nowhere";
    let executions = SfnExecutions::new(client, arn.parse().unwrap());
    let error = executions.start("x", &input("x")).await.unwrap_err();
    assert_eq!(
        error.message,
        format!(
            "could not start the run: there is no state machine `{arn}` in this account and region"
        )
    );
    assert!(error.help.contains("deploy the stack"), "{}", error.help);
}
