//! Events that ask for what cannot be recorded: they are refused by name, and the others are handled.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use futures::FutureExt;
use precip_core::trigger::ObjectEvent;

use super::{
    sweeps::Bucket,
    world::{World, landing_sensor, object_event},
};
use crate::{
    asset::AssetError,
    state::{
        MAX_RECORD_BYTES, PageRequest, StateErrorKind, StateStore, Tick, TickOutcome, TriggerStore,
        decorators::{FailCalls, Hooked, When},
    },
    trigger::{
        Decision, ObjectOptions, RunRequest, SensorDefinition, SensorResult, SweepOptions,
        evaluate_messages, evaluate_objects, memory::Memory, preview_objects, sensor_id,
        sweep_bucket,
    },
};

const TIME: &str = "2024-11-30T10:00:00Z";

fn uploads(names: &[&str]) -> Vec<ObjectEvent> {
    let events = (1..).zip(names);
    events
        .map(|(number, name)| object_event(&format!("up/{name}"), TIME, number))
        .collect()
}

fn upload_sensor() -> SensorDefinition {
    landing_sensor("up/{file}", "uploads")
}

async fn ticks(world: &World) -> Vec<Tick> {
    let page = PageRequest::first(1_000);
    let ticks = world.memory.list_ticks(&sensor_id("landing"), &page).await;
    ticks.unwrap().items
}

async fn last_text(world: &World) -> String {
    let tick = ticks(world).await.remove(0);
    match tick.outcome {
        TickOutcome::Requested(_) => tick.note.unwrap_or_default(),
        TickOutcome::Skipped { reason } => format!("skipped: {}", reason.unwrap_or_default()),
        TickOutcome::Failed { message } => format!("failed: {message}"),
    }
}

#[tokio::test]
async fn a_name_that_cannot_be_a_key_is_skipped_by_name_and_the_others_run() {
    let world = World::new();
    let long = "x".repeat(900);
    let events = uploads(&["a.csv", "b\u{1b}[2J.csv", "c.csv", &long]);
    let messages: Vec<_> = events.iter().map(|event| vec![event.clone()]).collect();
    let options = ObjectOptions::default();
    // A preview decides alike.
    let preview = preview_objects(&world.ports, &upload_sensor(), &events, options).await;
    let previewed: Vec<Decision> = preview.unwrap().into_iter().map(|(one, _)| one).collect();
    let delivered = evaluate_messages(&world.ports, &upload_sensor(), &messages, options).await;
    let delivered = delivered.unwrap();
    assert_eq!(delivered.redeliver, []);
    assert_eq!(world.requested_lines().await, ["uploads a.csv,c.csv"]);
    let decisions = delivered.outcome.decisions;
    for index in [1, 3] {
        assert_eq!(decisions[index], previewed[index]);
        assert!(matches!(decisions[index], Decision::Skipped { .. }));
    }
    let text = last_text(&world).await;
    let bad = "\"up/b\\u{1b}[2J.csv\": \"b\\u{1b}[2J.csv\" cannot be a partition of `files`: write at least one \
               character, and no control characters; up/xxx";
    assert!(text.starts_with(bad), "{text}");
    assert!(text.ends_with("at most 768"), "{text}");
    // The event was handled: it is not evaluated again.
    let again = evaluate_objects(&world.ports, &upload_sensor(), &events, options).await;
    assert_eq!(again.unwrap().decisions, vec![Decision::Duplicate; 4]);
}

#[tokio::test]
async fn many_long_names_become_runs_that_fit_into_their_records() {
    let world = World::new();
    let names: Vec<String> = (0..2_000)
        .map(|number| format!("{number:06}{}\"\\", "n".repeat(212)))
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let events = uploads(&names);
    let options = ObjectOptions::default();
    let outcome = evaluate_objects(&world.ports, &upload_sensor(), &events, options).await;
    let outcome = outcome.unwrap();
    assert!(
        outcome
            .decisions
            .iter()
            .all(|one| matches!(one, Decision::Requested { .. })),
        "{:?}",
        outcome.decisions[0]
    );
    let runs = world.recorded_runs().await;
    let mut keys: Vec<&String> = runs.iter().flat_map(|(_, keys)| keys).collect();
    keys.sort();
    assert!(
        keys.iter()
            .map(|key| key.as_str())
            .eq(names.iter().copied())
    );
    for (run, _) in &runs {
        let size = serde_json::to_string(run).unwrap().len();
        assert!(size < MAX_RECORD_BYTES / 2, "{size}");
    }
    assert!(runs.len() < 12, "{}", runs.len());
}

/// A function that answers for `up/bad.csv` what cannot be recorded, and requests a partition for all others.
fn function_sensor(kind: &'static str) -> SensorDefinition {
    macro_rules! with {
        ($bad:expr) => {
            upload_sensor().with_function(|context, _| {
                async move {
                    let object = context
                        .object()
                        .map_err(|error| AssetError::terminal(error.to_string()))?;
                    let key = object.key.clone();
                    let request = RunRequest::partition(key.as_str());
                    let answer = SensorResult::requests([request.clone()]);
                    match key.ends_with("bad.csv") {
                        false => Ok(answer.add_partition("files", key.as_str())),
                        true => ($bad)(answer, request, &context),
                    }
                }
                .boxed()
            })
        };
    }
    type Answer = Result<SensorResult, AssetError>;
    use crate::trigger::SensorContext;
    match kind {
        "key" => with!(
            |answer: SensorResult, _: RunRequest, _: &SensorContext| -> Answer {
                Ok(answer.add_partition("files", "a\u{7}"))
            }
        ),
        "config" => with!(
            |_: SensorResult, request: RunRequest, _: &SensorContext| -> Answer {
                let large = "x".repeat(300_000);
                Ok(SensorResult::requests([request.tag("large", large)]))
            }
        ),
        "cursor" => with!(|answer: SensorResult,
                           _: RunRequest,
                           context: &SensorContext|
         -> Answer {
            context.update_cursor("x".repeat(100_000));
            Ok(answer)
        }),
        _ => with!(
            |_: SensorResult, _: RunRequest, _: &SensorContext| -> Answer {
                Err(AssetError::retryable("x".repeat(1_000_000)))
            }
        ),
    }
}

#[tokio::test]
async fn the_answer_of_a_function_that_cannot_be_recorded_fails_its_message_alone() {
    for (kind, message) in [
        (
            "key",
            "its function adds a key: \"a\\u{7}\" cannot be a partition of `files`",
        ),
        (
            "config",
            "its function requests a run whose record takes 294 KiB, and at most 192 KiB fit",
        ),
        (
            "cursor",
            "its function sets a cursor of 98 KiB, and at most 64 KiB fit",
        ),
        ("error", "xxxxx"),
    ] {
        let world = World::new();
        let sensor = function_sensor(kind);
        let events = uploads(&["a.csv", "bad.csv", "c.csv"]);
        let messages: Vec<_> = events.iter().map(|event| vec![event.clone()]).collect();
        let options = ObjectOptions::default();
        let delivered = evaluate_messages(&world.ports, &sensor, &messages, options).await;
        let redeliver = delivered.unwrap().redeliver;
        assert_eq!(redeliver.len(), 1, "{redeliver:?}");
        assert_eq!(redeliver[0].0, 1);
        let named = format!("up/bad.csv: {message}");
        assert!(redeliver[0].1.starts_with(&named), "{}", redeliver[0].1);
        assert_eq!(world.requested_lines().await, ["uploads up/a.csv,up/c.csv"]);
        assert!(last_text(&world).await.starts_with(&named));
        // Alone, it is a failed tick, which is recorded once.
        let world = World::new();
        for _ in 0..3 {
            let alone = &messages[1..2];
            let delivered = evaluate_messages(&world.ports, &sensor, alone, options).await;
            assert_eq!(delivered.unwrap().redeliver.len(), 1);
        }
        let text = last_text(&world).await;
        assert!(text.starts_with(&format!("failed: {named}")), "{text}");
        assert!(text.len() < 1_000, "{}", text.len());
        assert_eq!(ticks(&world).await.len(), 1);
    }
}

#[tokio::test]
async fn an_event_that_the_store_refuses_is_found_and_the_others_are_handled() {
    for call in ["add_dynamic_keys", "advance_trigger"] {
        let world = World::new();
        let state = Arc::clone(&world.memory) as Arc<dyn StateStore>;
        let faults = FailCalls::default();
        // Of five events, the first portions that contain the first one are refused: five, two, and it alone.
        faults.fail_calls(call, When::Before, 0, 3, StateErrorKind::TooLarge);
        let ports = world.ports_with_state(Arc::new(Hooked::new(state, faults)));
        let events = uploads(&["a.csv", "b.csv", "c.csv", "d.csv", "e.csv"]);
        let messages: Vec<_> = events.iter().map(|event| vec![event.clone()]).collect();
        let options = ObjectOptions::default();
        let delivered = evaluate_messages(&ports, &upload_sensor(), &messages, options).await;
        let redeliver = delivered.unwrap().redeliver;
        assert_eq!(redeliver.len(), 1, "{redeliver:?}");
        assert_eq!(redeliver[0].0, 0);
        let requested = world.recorded_runs().await;
        let mut keys: Vec<String> = requested.into_iter().flat_map(|(_, keys)| keys).collect();
        keys.sort();
        assert_eq!(keys, ["b.csv", "c.csv", "d.csv", "e.csv"]);
        let first = ticks(&world).await.pop().unwrap();
        assert!(
            matches!(&first.outcome, TickOutcome::Failed { message } if message.starts_with("up/a.csv: ")),
            "{first:?}"
        );
    }
}

#[tokio::test]
async fn a_store_that_is_away_is_no_refusal() {
    let world = World::new();
    let state = Arc::clone(&world.memory) as Arc<dyn StateStore>;
    let faults = FailCalls::default();
    faults.fail_calls(
        "advance_trigger",
        When::Before,
        0,
        1,
        StateErrorKind::Unavailable,
    );
    let ports = world.ports_with_state(Arc::new(Hooked::new(state, faults)));
    let options = ObjectOptions::default();
    let events = uploads(&["a.csv", "b.csv"]);
    let result = evaluate_objects(&ports, &upload_sensor(), &events, options).await;
    assert!(result.is_err(), "{result:?}");
    assert_eq!(ticks(&world).await, []);
}

fn order(day: &str) -> ObjectEvent {
    object_event(&format!("orders/{day}.csv"), "2024-12-01T11:00:00Z", 1)
}

#[tokio::test]
async fn files_for_a_far_future_leave_the_waiting_list_to_those_that_are_due_soon() {
    let (world, bucket) = (World::new(), Bucket::default());
    let sensor = landing_sensor("orders/{date}.csv", "orders");
    let far: Vec<ObjectEvent> = (0..500)
        .map(|day| {
            let date = "2090-01-01".parse::<chrono::NaiveDate>().unwrap() + chrono::Days::new(day);
            order(&date.to_string())
        })
        .collect();
    let options = ObjectOptions::default();
    let decided = evaluate_objects(&world.ports, &sensor, &far, options)
        .await
        .unwrap();
    assert!(
        decided
            .decisions
            .iter()
            .all(|one| matches!(one, Decision::Early { .. }))
    );
    let text = last_text(&world).await;
    let expected = "skipped: orders/2090-01-01.csv: partition `2090-01-01` does not exist before \
                    2090-01-02T00:00:00Z, and an object waits at most a week for its window to begin: later sweeps \
                    evaluate it again; ";
    assert!(text.starts_with(expected), "{text}");
    assert!(text.ends_with("and 495 more objects"), "{text}");
    // Today's window has begun, and next week's is near.
    let near = [
        order("2024-12-01"),
        order("2024-12-08"),
        order("2024-12-20"),
    ];
    let decided = evaluate_objects(&world.ports, &sensor, &near, options)
        .await
        .unwrap();
    assert!(matches!(decided.decisions[0], Decision::Waits { .. }));
    assert!(matches!(decided.decisions[1], Decision::Waits { .. }));
    assert!(matches!(decided.decisions[2], Decision::Early { .. }));
    // Sweeps evaluate the early one again, and it runs once its window has ended.
    near.iter().for_each(|event| bucket.put_object(event));
    for (now, requested) in [
        ("2024-12-02T12:00:00Z", vec!["orders 2024-12-01"]),
        (
            "2024-12-09T12:00:00Z",
            vec!["orders 2024-12-01", "orders 2024-12-08"],
        ),
        (
            "2024-12-21T12:00:00Z",
            vec![
                "orders 2024-12-01",
                "orders 2024-12-08",
                "orders 2024-12-20",
            ],
        ),
        (
            "2024-12-22T12:00:00Z",
            vec![
                "orders 2024-12-01",
                "orders 2024-12-08",
                "orders 2024-12-20",
            ],
        ),
    ] {
        world.clock.set_now(now);
        let swept = sweep_bucket(
            &world.ports,
            &sensor,
            "bucket",
            &bucket,
            SweepOptions::default(),
        );
        let swept = swept.await.unwrap();
        assert_eq!(world.requested_lines().await, requested, "{now}");
        // On the ninth it waits, eleven days before its window has ended.
        assert_eq!(
            swept.early,
            u64::from(now == "2024-12-02T12:00:00Z" || now == "2024-12-09T12:00:00Z"),
            "{now}"
        );
    }
}

#[tokio::test]
async fn a_full_waiting_list_leaves_the_others_to_sweeps() {
    let world = World::new();
    let sensor = landing_sensor("orders/{date}.csv", "orders");
    let events: Vec<ObjectEvent> = (0..105)
        .map(|number| object_event("orders/2024-12-03.csv", TIME, number))
        .collect();
    // Each is another change of the object, none of which is after another.
    let events: Vec<ObjectEvent> = events
        .into_iter()
        .map(|event| ObjectEvent {
            sequencer: None,
            ..event
        })
        .collect();
    let messages: Vec<_> = events.iter().map(|event| vec![event.clone()]).collect();
    let options = ObjectOptions::default();
    let delivered = evaluate_messages(&world.ports, &sensor, &messages, options)
        .await
        .unwrap();
    // Waiting longer in the queue would send good files to the dead letters.
    assert_eq!(delivered.redeliver, []);
    let early = |one: &&Decision| matches!(one, Decision::Early { reason } if reason.contains("enough objects wait"));
    assert_eq!(delivered.outcome.decisions.iter().filter(early).count(), 5);
}

#[tokio::test]
async fn an_object_that_fails_does_not_make_sweeps_begin_again() {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    let (world, bucket) = (World::new(), Bucket::default());
    for day in 1..=9 {
        bucket.put_object(&order(&format!("2024-03-{day:02}")));
    }
    let sensor = landing_sensor("orders/{date}.csv", "orders").with_function(|context, _| {
        async move {
            CALLS.fetch_add(1, Ordering::Relaxed);
            let key = context
                .object()
                .map_or_else(|_| String::new(), |object| object.key.clone());
            match key.contains("-05") {
                true => Err(AssetError::retryable("no such column")),
                false => Ok(SensorResult::requests([RunRequest::partition(
                    "2024-01-01",
                )])),
            }
        }
        .boxed()
    });
    for (now, calls, missed) in [
        ("2024-12-01T12:00:00Z", 9, 8),
        ("2024-12-01T13:00:00Z", 10, 0),
        ("2024-12-01T14:00:00Z", 11, 0),
    ] {
        world.clock.set_now(now);
        let options = SweepOptions::default();
        let swept = sweep_bucket(&world.ports, &sensor, "bucket", &bucket, options).await;
        let swept = swept.unwrap();
        assert_eq!((swept.listed, swept.missed), (9, missed), "{now}");
        assert_eq!(swept.failed, ["orders/2024-03-05.csv: no such column"]);
        assert_eq!(CALLS.load(Ordering::Relaxed), calls, "{now}");
        let text = last_text(&world).await;
        let failed = "1 failed: orders/2024-03-05.csv: no such column";
        assert!(
            text.starts_with("failed: swept 9 objects") && text.ends_with(failed),
            "{text}"
        );
    }
    // Four ticks for the runs of the first sweep's pages, and one for each sweep.
    assert_eq!(ticks(&world).await.len(), 8);
}

#[tokio::test]
async fn a_cursor_fits_into_its_row_whatever_it_holds() {
    let world = World::new();
    let trigger = sensor_id("landing");
    let mut state = crate::state::TriggerState::default();
    let mut memory = Memory::default();
    for number in 0..12_000 {
        memory.remember_event(&object_event(&format!("up/{number}"), TIME, number));
    }
    for number in 0..100 {
        let key = format!("{}{number}", "\"".repeat(1_000));
        if !memory.is_waiting_full() {
            memory.add_waiting(object_event(&key, TIME, number));
        }
    }
    memory.function_cursor = Some("\"".repeat(64 * 1024));
    let now = world.ports.clock.now();
    state.cursor = Some(memory.to_cursor(now));
    let size = state.cursor.as_ref().unwrap().len();
    assert!(size < 370 * 1024, "{size}");
    let read = Memory::from_state(&trigger, &state).unwrap();
    // What is left out is the oldest, and known to be.
    assert!(!read.knows_event(&object_event("up/0", TIME, 0)));
    assert!(read.may_have_forgotten(&object_event("up/0", TIME, 0)));
    assert!(read.knows_event(&object_event("up/11999", TIME, 11_999)));
    assert_eq!(read.function_cursor, memory.function_cursor);
}
