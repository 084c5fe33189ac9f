use precip_core::trigger::{ObjectChange, ObjectEvent, ObjectFilter, SensorSource};

use super::world::{World, landing_sensor, object_event, utc};
use crate::{
    asset::{AssetError, Resources},
    state::{PageRequest, StateStore, TickOutcome, TriggerStore},
    trigger::{
        Decision, IntoSensorResult, ObjectOptions, RunRequest, SensorContext, SensorOutcome,
        SensorResult, Skip, TriggerFuture, evaluate_objects, preview_objects, reset_cursor,
        sensor_id, switch_trigger,
    },
};

async fn evaluate_orders(world: &World, events: &[ObjectEvent]) -> SensorOutcome {
    let sensor = landing_sensor("orders/{date}.csv", "orders");
    evaluate_objects(&world.ports, &sensor, events, ObjectOptions::default())
        .await
        .unwrap()
}

fn day_event(day: u32) -> ObjectEvent {
    object_event(
        &format!("orders/2024-03-{day:02}.csv"),
        "2024-04-01T00:00:00Z",
        1,
    )
}

#[tokio::test]
async fn many_files_are_one_run_of_many_partitions() {
    let world = World::new();
    let events: Vec<ObjectEvent> = [3, 1, 2, 9].map(day_event).to_vec();
    let outcome = evaluate_orders(&world, &events).await;
    assert_eq!(
        world.requested_lines().await,
        ["orders 2024-03-01...2024-03-03,2024-03-09"]
    );
    let run = outcome.runs[0].run();
    assert_eq!(run.request.tags["precip/sensor"], "landing");
    assert_eq!(
        outcome.decisions[0],
        Decision::Requested {
            partitions: vec!["2024-03-03".into()],
            runs: vec![run.id]
        }
    );
    assert_eq!(world.launches.counts.lock().unwrap()[&run.id], 1);
}

#[tokio::test]
async fn a_file_is_requested_once_whatever_batches_it_is_in() {
    let world = World::new();
    evaluate_orders(&world, &[day_event(1), day_event(2), day_event(1)]).await;
    // One event of the batch is known, the other is new.
    let outcome = evaluate_orders(&world, &[day_event(2), day_event(3)]).await;
    assert_eq!(outcome.decisions[0], Decision::Duplicate);
    evaluate_orders(&world, &[day_event(3)]).await;
    assert_eq!(
        world.requested_lines().await,
        ["orders 2024-03-01,2024-03-02", "orders 2024-03-03"]
    );
    // A batch of duplicates records no tick.
    assert_eq!(
        world
            .memory
            .trigger_state(&sensor_id("landing"))
            .await
            .unwrap()
            .revision,
        2
    );
}

#[tokio::test]
async fn a_file_that_is_written_again_is_requested_again_and_its_older_events_are_not() {
    let world = World::new();
    let key = "orders/2024-03-01.csv";
    let old = object_event(key, "2024-04-01T00:00:00Z", 1);
    let new = object_event(key, "2024-04-01T00:05:00Z", 2);
    let newest = object_event(key, "2024-04-01T00:05:00Z", 3);
    let outcome = evaluate_orders(&world, &[new.clone(), old.clone()]).await;
    assert_eq!(outcome.decisions[1], Decision::Superseded);
    assert_eq!(
        evaluate_orders(&world, &[old]).await.decisions,
        [Decision::Duplicate]
    );
    // An event that was never seen, and is older than the newest handled one.
    let oldest = object_event(key, "2024-03-31T00:00:00Z", 0);
    assert_eq!(
        evaluate_orders(&world, &[oldest]).await.decisions,
        [Decision::Superseded]
    );
    evaluate_orders(&world, &[newest]).await;
    assert_eq!(world.requested_lines().await.len(), 2);
}

#[tokio::test]
async fn events_of_other_objects_are_ignored_with_a_reason() {
    let world = World::new();
    let mut sensor = landing_sensor("orders/{date}.csv", "orders");
    if let SensorSource::Objects(objects) = &mut sensor.spec.source {
        objects.min_size = 11;
    }
    let mut deleted = day_event(1);
    deleted.change = ObjectChange::Deleted;
    let mut elsewhere = day_event(1);
    elsewhere.bucket = "other".to_owned();
    let events = [
        day_event(1),
        deleted,
        elsewhere,
        object_event("orders/x/y.csv", "2024-04-01T00:00:00Z", 1),
    ];
    let options = ObjectOptions {
        bucket: Some("bucket"),
        found_by_sweep: false,
    };
    let outcome = evaluate_objects(&world.ports, &sensor, &events, options)
        .await
        .unwrap();
    let reasons: Vec<&str> = outcome
        .decisions
        .iter()
        .map(|decision| match decision {
            Decision::Ignored { reason } => reason.as_str(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        reasons,
        [
            "it has 10 bytes, fewer than 11",
            "the object was deleted",
            "it is of bucket `other`, not `bucket`",
            "its key does not fit `orders/{date}.csv`",
        ]
    );
    assert_eq!(world.requested_lines().await, [""; 0]);
}

#[tokio::test]
async fn a_key_without_a_partition_is_skipped_with_the_reason_on_record() {
    let world = World::new();
    let odd = object_event("orders/2023-03-01.csv", "2024-04-01T00:00:00Z", 1);
    let outcome = evaluate_orders(&world, &[odd, day_event(1)]).await;
    assert!(matches!(&outcome.decisions[0], Decision::Skipped { .. }));
    assert_eq!(world.requested_lines().await, ["orders 2024-03-01"]);
    let ticks = world
        .memory
        .list_ticks(&sensor_id("landing"), &PageRequest::first(5))
        .await
        .unwrap();
    let note = ticks.items[0].note.as_deref().unwrap();
    assert!(
        note.contains("there is no partition `2023-03-01`"),
        "{note}"
    );
}

#[tokio::test]
async fn a_file_that_comes_before_its_day_has_ended_waits_for_it() {
    let world = World::new();
    world.clock.set_now("2024-04-01T20:00:00Z");
    let early = object_event("orders/2024-04-01.csv", "2024-04-01T20:00:00Z", 1);
    let outcome = evaluate_orders(&world, std::slice::from_ref(&early)).await;
    assert!(
        matches!(&outcome.decisions[0], Decision::Waits { reason } if reason.contains("2024-04-02T00:00:00Z"))
    );
    assert_eq!(
        evaluate_orders(&world, &[early]).await.decisions,
        [Decision::Duplicate]
    );
    assert_eq!(world.requested_lines().await, [""; 0]);
    world.clock.set_now("2024-04-02T00:00:00Z");
    // Any later evaluation requests it: of another event, or by a sweep.
    evaluate_orders(&world, &[]).await;
    assert_eq!(world.requested_lines().await, ["orders 2024-04-01"]);
}

#[tokio::test]
async fn a_stopped_sensor_starts_nothing() {
    let world = World::new();
    let id = sensor_id("landing");
    let state: &dyn StateStore = world.memory.as_ref();
    switch_trigger(state, &id, false, utc("2024-04-01T00:00:00Z"))
        .await
        .unwrap();
    // While it is stopped, events are neither handled nor remembered.
    let outcome = evaluate_orders(&world, &[day_event(1)]).await;
    assert!(!outcome.running);
    assert_eq!(world.requested_lines().await, [""; 0]);
    switch_trigger(state, &id, true, utc("2024-04-01T00:00:00Z"))
        .await
        .unwrap();
    evaluate_orders(&world, &[day_event(1)]).await;
    assert_eq!(world.requested_lines().await.len(), 1);
}

#[tokio::test]
async fn after_a_reset_a_run_key_still_starts_no_second_run() {
    let world = World::new();
    let first = evaluate_orders(&world, &[day_event(1), day_event(2)]).await;
    reset_cursor(
        world.memory.as_ref(),
        &sensor_id("landing"),
        utc("2024-04-01T00:00:00Z"),
    )
    .await
    .unwrap();
    // The same events in another order name the same run.
    let again = evaluate_orders(&world, &[day_event(2), day_event(1)]).await;
    assert_eq!(again.runs[0].run().id, first.runs[0].run().id);
    assert!(!again.runs[0].is_new());
}

#[tokio::test]
async fn a_new_dynamic_key_is_added_before_the_run() {
    let world = World::new();
    let sensor = landing_sensor("up/{file}", "uploads");
    let odd = object_event("up/a,b.csv", "2024-04-01T00:00:00Z", 1);
    evaluate_objects(&world.ports, &sensor, &[odd], ObjectOptions::default())
        .await
        .unwrap();
    assert_eq!(world.requested_lines().await, ["uploads \"a,b.csv\""]);
    let keys = world.ports.state.dynamic_keys("files").await.unwrap();
    assert_eq!(keys.ordinal("a,b.csv"), Some(0));
}

#[tokio::test]
async fn a_failed_launch_is_repeated_by_the_next_evaluation() {
    let world = World::new();
    *world.launches.failures.lock().unwrap() = 1;
    let sensor = landing_sensor("orders/{date}.csv", "orders");
    let error = evaluate_objects(
        &world.ports,
        &sensor,
        &[day_event(1)],
        ObjectOptions::default(),
    )
    .await
    .unwrap_err();
    assert!(error.to_string().contains("no room"), "{error}");
    // The event was handled before the launch failed; the queued run is launched now.
    let outcome = evaluate_orders(&world, &[day_event(1)]).await;
    assert_eq!(outcome.decisions, [Decision::Duplicate]);
    assert_eq!(world.launches.counts.lock().unwrap().len(), 1);
}

/// Requests the day of the key, or several runs for `in/each-N`; fails for some keys.
fn sensor_function(context: SensorContext, _: &Resources) -> TriggerFuture<'_> {
    Box::pin(async move {
        let object = context.object()?;
        match object.key.as_str() {
            "in/poison" => return Err(AssetError::retryable("cannot be read")),
            "in/panic" => panic!("lost its head"),
            "in/skip" => return Skip::because("nothing in it").into_sensor_result(),
            _ => {}
        }
        let count: u32 = context.cursor().map_or(Ok(0), |cursor| cursor.parse())?;
        context.update_cursor((count + 1).to_string());
        let each = object.key.strip_prefix("in/each-").map(str::to_owned);
        Ok(match each {
            Some(count) => SensorResult::requests((0..count.parse::<u32>()?).map(|number| {
                RunRequest::partition("2024-03-01").run_key(format!("{}-{number}", object.key))
            })),
            None => {
                SensorResult::requests(
                    [RunRequest::partition(context.value("date")?).tag("n", "1")],
                )
            }
        })
    })
}

fn with_function() -> crate::trigger::SensorDefinition {
    let mut sensor = landing_sensor("in/{date}", "orders").with_function(sensor_function);
    if let SensorSource::Objects(objects) = &mut sensor.spec.source {
        objects.filter = ObjectFilter::Key("in/{date}".parse().unwrap());
    }
    sensor
}

#[tokio::test]
async fn a_failing_event_affects_no_other() {
    let world = World::new();
    let time = "2024-04-01T00:00:00Z";
    let keys = [
        "in/2024-03-01",
        "in/poison",
        "in/panic",
        "in/skip",
        "in/2024-03-02",
    ];
    let events = keys.map(|key| object_event(key, time, 1));
    let sensor = with_function();
    let options = ObjectOptions::default();
    let outcome = evaluate_objects(&world.ports, &sensor, &events, options)
        .await
        .unwrap();
    assert_eq!(
        world.requested_lines().await,
        ["orders 2024-03-01,2024-03-02"]
    );
    assert_eq!(
        outcome.decisions[1],
        Decision::Failed {
            message: "cannot be read".to_owned()
        }
    );
    assert!(
        matches!(&outcome.decisions[2], Decision::Failed { message } if message.contains("lost its head"))
    );
    assert_eq!(
        outcome.decisions[3],
        Decision::Skipped {
            reason: "nothing in it".to_owned()
        }
    );
    // A failed event is evaluated again when it is delivered again.
    let again = evaluate_objects(&world.ports, &sensor, &events, options)
        .await
        .unwrap();
    assert_eq!(
        again.decisions[1],
        Decision::Failed {
            message: "cannot be read".to_owned()
        }
    );
    assert_eq!(again.decisions[3], Decision::Duplicate);
    assert_eq!(world.requested_lines().await.len(), 1);
}

/// Requests the day of the key with config for an op that does not exist.
fn misconfigured(context: SensorContext, _: &Resources) -> TriggerFuture<'_> {
    Box::pin(async move {
        let day = context.value("date")?;
        context.update_cursor("1");
        let request = RunRequest::partition(day).config(serde_json::json!({"orderz": {}}));
        Ok(SensorResult::requests([request]).add_partition("files", "new"))
    })
}

#[tokio::test]
async fn a_request_with_invalid_config_fails_its_event_and_records_no_run() {
    let world = World::new();
    let event = [object_event("in/2024-03-01", "2024-04-01T00:00:00Z", 1)];
    let options = ObjectOptions::default();
    let broken = with_function().with_function(misconfigured);
    let outcome = evaluate_objects(&world.ports, &broken, &event, options)
        .await
        .unwrap();
    let [Decision::Failed { message }] = &outcome.decisions[..] else {
        panic!("{:?}", outcome.decisions);
    };
    assert!(
        message.contains("names op `orderz`, which is not declared: did you mean `orders`?"),
        "{message}"
    );
    assert!(world.recorded_runs().await.is_empty());
    let files = world.ports.state.dynamic_keys("files").await.unwrap();
    assert_eq!(files.iter().count(), 0);
    // The event is not lost: a function that was fixed handles it.
    evaluate_objects(&world.ports, &with_function(), &event, options)
        .await
        .unwrap();
    assert_eq!(world.requested_lines().await, ["orders 2024-03-01"]);
}

#[tokio::test]
async fn more_runs_than_one_tick_holds_take_several_ticks() {
    let world = World::new();
    let time = "2024-04-01T00:00:00Z";
    let events: Vec<ObjectEvent> = ["in/each-20", "in/each-11", "in/each-29", "in/each-31"]
        .map(|key| object_event(key, time, 1))
        .to_vec();
    let sensor = with_function();
    let outcome = evaluate_objects(&world.ports, &sensor, &events, ObjectOptions::default())
        .await
        .unwrap();
    // 31 runs of one event exceed a tick and are refused; the others fill three ticks.
    assert_eq!(outcome.runs.len(), 60);
    assert!(
        matches!(&outcome.decisions[3], Decision::Skipped { reason } if reason.contains("asks for 31 runs"))
    );
    let ticks = world
        .memory
        .list_ticks(&sensor_id("landing"), &PageRequest::first(9))
        .await
        .unwrap();
    let counts: Vec<usize> = ticks
        .items
        .iter()
        .map(|tick| match &tick.outcome {
            TickOutcome::Requested(runs) => runs.len(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(counts, [29, 20, 11]);
}

#[tokio::test]
async fn a_preview_says_what_would_be_requested_and_changes_nothing() {
    let world = World::new();
    let event = object_event("in/2024-03-01", "2024-04-01T00:00:00Z", 1);
    let preview = preview_objects(
        &world.ports,
        &with_function(),
        &[event],
        ObjectOptions::default(),
    )
    .await
    .unwrap();
    let [(Decision::Requested { partitions, .. }, requests)] = &preview[..] else {
        panic!("{preview:?}");
    };
    assert_eq!(partitions, &["2024-03-01".into()]);
    assert_eq!(
        requests,
        &[RunRequest::partition("2024-03-01").tag("n", "1")]
    );
    assert_eq!(world.requested_lines().await, [""; 0]);
    assert_eq!(
        world
            .memory
            .trigger_state(&sensor_id("landing"))
            .await
            .unwrap()
            .revision,
        0
    );
}

/// Requests a run of the partition with a tag of its own, so that the runs of a tick stay apart.
fn tagged_request(context: SensorContext, _: &Resources) -> TriggerFuture<'_> {
    Box::pin(async move {
        let key = context.object()?.key.clone();
        let day = key.trim_start_matches("orders/").trim_end_matches(".csv");
        RunRequest::partition(day)
            .tag("file", &key)
            .into_sensor_result()
    })
}

/// A run that was created under a clock that was ahead stays on record when the clock is right again.
#[tokio::test]
async fn requested_runs_are_newer_than_every_recorded_one_whatever_the_clock_says() {
    let world = World::new();
    world.clock.set_now("2024-12-02T12:00:00Z");
    let outcome = evaluate_orders(&world, &[day_event(1)]).await;
    let ahead = outcome.runs[0].run().id;
    world.clock.set_now("2024-12-01T12:00:00Z");
    let sensor = landing_sensor("orders/{date}.csv", "orders").with_function(tagged_request);
    let events = [day_event(2), day_event(3)];
    let outcome = evaluate_objects(&world.ports, &sensor, &events, ObjectOptions::default())
        .await
        .unwrap();
    let ids: Vec<_> = outcome
        .runs
        .iter()
        .map(|created| created.run().id)
        .collect();
    assert_eq!(ids.len(), 2);
    // Of the runs of one tick, the later request is the newer one.
    assert!(ahead < ids[0] && ids[0] < ids[1], "{ahead} {ids:?}");
}
