//! Schedules and topics on the emulator.

use chrono::{DateTime, TimeDelta, Utc};
use precip_core::freshness::FreshnessState;
use precip_engine::{
    freshness::{FreshnessChange, FreshnessTopic},
    react::TickScheduler,
};
use serde_json::Value;

use super::super::{ScheduledTicks, SnsTopic};
use crate::state::dynamo::harness::emulator_aws;

const FUNCTION: &str = "arn:aws:lambda:us-east-1:000000000000:function:reactor";
const ROLE: &str = "arn:aws:iam::000000000000:role/tick";

/// Subscribes a queue to the failures that are published to a topic.
const SUBSCRIBE: &str = r#"
import boto3, os, sys
at = {"endpoint_url": os.environ["PRECIP_TEST_AWS_ENDPOINT"]}
sqs = boto3.client("sqs", **at)
queue = sqs.create_queue(QueueName="heard")["QueueUrl"]
arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
boto3.client("sns", **at).subscribe(TopicArn=sys.argv[1], Protocol="sqs", Endpoint=arn, Attributes={
    "RawMessageDelivery": "true", "FilterPolicy": '{"state": ["FAIL"]}'})
"#;

/// Receives a number of messages, or those that arrive within a few seconds.
const RECEIVE: &str = r#"
import boto3, json, os, sys
sqs = boto3.client("sqs", endpoint_url=os.environ["PRECIP_TEST_AWS_ENDPOINT"])
queue = sqs.get_queue_url(QueueName="heard")["QueueUrl"]
heard = []
for _ in range(4):
    got = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=1)
    for message in got.get("Messages", []):
        heard.append(json.loads(message["Body"]))
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    if len(heard) >= int(sys.argv[1]):
        break
print(json.dumps(heard))
"#;

fn run_python(script: &str, arguments: &[&str]) -> String {
    let python = std::env::var("PRECIP_TEST_PYTHON").unwrap();
    let mut command = std::process::Command::new(python);
    let done = command
        .arg("-c")
        .arg(script)
        .args(arguments)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");
    String::from_utf8(done.stdout).unwrap()
}

#[tokio::test]
async fn a_tick_is_one_schedule_that_is_deleted_after_its_call() {
    let client = emulator_aws().await.scheduler();
    let group = "ticks-once";
    client
        .create_schedule_group()
        .name(group)
        .send()
        .await
        .unwrap();
    let ticks = ScheduledTicks::new(client.clone(), group, FUNCTION, ROLE);
    let due: DateTime<Utc> = "2031-01-31T06:00:00Z".parse().unwrap();
    for due in [due, due, due + TimeDelta::seconds(1)] {
        ticks.call_at(due).await.unwrap();
    }
    let listed = client
        .list_schedules()
        .name_prefix("tick-2031")
        .send()
        .await
        .unwrap();
    let names: Vec<_> = listed
        .schedules()
        .iter()
        .filter_map(|known| known.name())
        .collect();
    assert_eq!(names, ["tick-20310131T060000Z", "tick-20310131T060001Z"]);
    let found = client
        .get_schedule()
        .name(names[0])
        .group_name(group)
        .send()
        .await
        .unwrap();
    assert_eq!(found.schedule_expression(), Some("at(2031-01-31T06:00:00)"));
    assert_eq!(found.action_after_completion().unwrap().as_str(), "DELETE");
    let target = found.target().unwrap();
    assert_eq!((target.arn(), target.role_arn()), (FUNCTION, ROLE));
    assert_eq!(target.input(), Some(r#"{"tick":"2031-01-31T06:00:00Z"}"#));
}

#[tokio::test]
async fn a_missing_group_is_named() {
    let client = emulator_aws().await.scheduler();
    let ticks = ScheduledTicks::new(client, "nowhere", FUNCTION, ROLE);
    let error = ticks.call_at(Utc::now()).await.unwrap_err();
    assert!(
        error.contains("ResourceNotFound") && error.contains("nowhere"),
        "{error}"
    );
}

#[tokio::test]
async fn a_change_is_a_message_with_its_state_as_an_attribute() {
    let aws = emulator_aws().await;
    let client = aws.sns();
    let created = client
        .create_topic()
        .name("freshness")
        .send()
        .await
        .unwrap();
    let topic = created.topic_arn.unwrap();
    run_python(SUBSCRIBE, &[&topic]);
    let at: DateTime<Utc> = "2024-06-10T00:00:00Z".parse().unwrap();
    let changes: Vec<FreshnessChange> = (0..12)
        .map(|number| FreshnessChange {
            asset: format!("marts/a{number}").parse().unwrap(),
            state: FreshnessState::Fail,
            before: FreshnessState::Pass,
            at,
            last_materialized: Some(at - TimeDelta::days(1)),
        })
        .collect();
    let raised = SnsTopic::new(client.clone(), &topic);
    raised.raise_changes(&changes).await.unwrap();
    let heard: Vec<Value> = serde_json::from_str(&run_python(RECEIVE, &["12"])).unwrap();
    assert_eq!(heard.len(), 12);
    // The subscription filters by the attribute: a pass is not delivered.
    let passes = FreshnessChange {
        state: FreshnessState::Pass,
        ..changes[0].clone()
    };
    raised.raise_changes(&[passes]).await.unwrap();
    assert_eq!(run_python(RECEIVE, &["1"]).trim(), "[]");
    let first = heard
        .iter()
        .find(|heard| heard["asset"] == "marts/a0")
        .unwrap();
    assert_eq!(first["state"], "FAIL");
    assert_eq!(first["before"], "PASS");
    assert_eq!(first["id"], "marts/a0#1717977600000000#FAIL");
    assert_eq!(first["last_materialized"], "2024-06-09T00:00:00Z");

    let nowhere = SnsTopic::new(client, "arn:aws:sns:us-east-1:000000000000:nowhere");
    let error = nowhere.raise_changes(&changes).await.unwrap_err();
    assert!(error.starts_with("SNS: NotFound"), "{error}");
}
