use futures::FutureExt;
use precip_core::trigger::ObjectEvent;
use serde_json::json;

use super::world::{World, landing_sensor, object_event};
use crate::{
    asset::AssetError,
    trigger::{
        Decision, Invocation, ObjectOptions, RunRequest, SensorResult, SweepCall,
        evaluate_messages, sensor_of_queue,
    },
};

fn day_event(day: u32) -> ObjectEvent {
    object_event(
        &format!("orders/2024-01-{day:02}.csv"),
        "2024-11-30T10:00:00Z",
        day,
    )
}

#[tokio::test]
async fn the_files_of_all_messages_become_one_run() {
    let world = World::new();
    let sensor = landing_sensor("orders/{date}.csv", "orders");
    let messages: Vec<Vec<ObjectEvent>> = (1..=30)
        .map(|number| vec![day_event(number), day_event(number)])
        .collect();
    let delivered = evaluate_messages(&world.ports, &sensor, &messages, ObjectOptions::default())
        .await
        .unwrap();
    assert!(delivered.redeliver.is_empty());
    assert_eq!(
        world.requested_lines().await,
        ["orders 2024-01-01...2024-01-30"]
    );
    let decisions = delivered.outcome.decisions.iter();
    let requested = decisions.filter(|decision| matches!(decision, Decision::Requested { .. }));
    assert_eq!(requested.count(), 30);
}

#[tokio::test]
async fn only_the_message_of_a_failed_event_is_delivered_again() {
    let world = World::new();
    let sensor = landing_sensor("orders/{date}.csv", "orders").with_function(|context, _| {
        async move {
            let key = context
                .object()
                .map_err(|error| AssetError::terminal(error.to_string()))?
                .key
                .clone();
            if key.contains("-03") {
                return Err(AssetError::retryable("no answer"));
            }
            Ok(SensorResult::requests([RunRequest::partition(
                "2024-01-01",
            )]))
        }
        .boxed()
    });
    let messages = [
        vec![day_event(1)],
        vec![day_event(2), day_event(3), day_event(3)],
        vec![],
        vec![day_event(4)],
    ];
    let delivered =
        evaluate_messages(&world.ports, &sensor, &messages, ObjectOptions::default()).await;
    let again = delivered.unwrap().redeliver;
    // One entry, although two events of the message failed.
    assert_eq!(again.len(), 1, "{again:?}");
    assert_eq!(again[0].0, 1);
    assert!(again[0].1.contains("no answer"), "{again:?}");
    assert_eq!(world.requested_lines().await, ["orders 2024-01-01"]);
}

#[test]
fn a_payload_is_recognized_by_its_fields() {
    let sweep = Invocation::from_payload(&json!({"sweep": "*"})).unwrap();
    let all = SweepCall {
        sweep: "*".to_owned(),
        grace_seconds: None,
    };
    assert_eq!(sweep, Invocation::Sweep(all));
    let tick = json!({"schedule": "daily", "scheduled_for": "2024-01-06T11:00:00Z"});
    let Invocation::Tick(tick) = Invocation::from_payload(&tick).unwrap() else {
        panic!("not a tick");
    };
    assert_eq!(
        (tick.schedule.as_str(), tick.scheduled_for.is_some()),
        ("daily", true)
    );
    for (wrong, expected) in [
        (json!({}), "this is no event of S3"),
        (
            json!({"schedule": "daily", "scheduled_for": "<aws.scheduler.scheduled-time>"}),
            "cannot be read",
        ),
        (json!({"sweep": 3}), "cannot be read"),
    ] {
        let error = Invocation::from_payload(&wrong).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn a_queue_is_named_after_its_sensor() {
    let arn = "arn:aws:sqs:us-east-1:123456789012:a-sensor-b-sensor-landing";
    assert_eq!(sensor_of_queue(arn), Some("landing"));
    assert_eq!(
        sensor_of_queue("arn:aws:sqs:us-east-1:123456789012:own"),
        None
    );
}
