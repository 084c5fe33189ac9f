use futures::FutureExt;
use precip_core::trigger::ObjectEvent;
use serde_json::json;

use super::world::{World, event, sensor};
use crate::{
    asset::AssetError,
    trigger::{
        Decision, Invocation, ObjectOptions, RunRequest, SensorResult, SweepCall,
        evaluate_messages, sensor_of_queue,
    },
};

fn day(day: u32) -> ObjectEvent {
    event(
        &format!("orders/2024-01-{day:02}.csv"),
        "2024-11-30T10:00:00Z",
        day,
    )
}

#[tokio::test]
async fn the_files_of_all_messages_become_one_run() {
    let world = World::new();
    let sensor = sensor("orders/{date}.csv", "orders");
    let messages: Vec<Vec<ObjectEvent>> = (1..=30)
        .map(|number| vec![day(number), day(number)])
        .collect();
    let delivered =
        evaluate_messages(&world.ports, &sensor, &messages, ObjectOptions::default()).await;
    let delivered = delivered.unwrap();
    assert!(delivered.again.is_empty());
    assert_eq!(world.requested().await, ["orders 2024-01-01...2024-01-30"]);
    let asked = delivered.outcome.decisions.iter();
    let asked = asked.filter(|decision| matches!(decision, Decision::Requested { .. }));
    assert_eq!(asked.count(), 30);
}

#[tokio::test]
async fn only_the_message_whose_event_failed_comes_again() {
    let world = World::new();
    let sensor = sensor("orders/{date}.csv", "orders").with_function(|context, _| {
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
        vec![day(1)],
        vec![day(2), day(3), day(3)],
        vec![],
        vec![day(4)],
    ];
    let delivered =
        evaluate_messages(&world.ports, &sensor, &messages, ObjectOptions::default()).await;
    let again = delivered.unwrap().again;
    assert_eq!(again.len(), 1, "{again:?}");
    assert_eq!(again[0].0, 1);
    assert!(again[0].1.contains("no answer"), "{again:?}");
    assert_eq!(world.requested().await, ["orders 2024-01-01"]);
}

#[test]
fn a_call_is_read_by_what_it_holds() {
    let sweep = Invocation::read(&json!({"sweep": "*"})).unwrap();
    let all = SweepCall {
        sweep: "*".to_owned(),
        grace_seconds: None,
    };
    assert_eq!(sweep, Invocation::Sweep(all));
    let tick = json!({"schedule": "daily", "scheduled_for": "2024-01-06T11:00:00Z"});
    let Invocation::Tick(tick) = Invocation::read(&tick).unwrap() else {
        panic!("it is a tick");
    };
    assert_eq!(
        (tick.schedule.as_str(), tick.scheduled_for.is_some()),
        ("daily", true)
    );
    for (wrong, said) in [
        (json!({}), "this is no event of S3"),
        (
            json!({"schedule": "daily", "scheduled_for": "<aws.scheduler.scheduled-time>"}),
            "cannot be read",
        ),
        (json!({"sweep": 3}), "cannot be read"),
    ] {
        let error = Invocation::read(&wrong).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
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
