use std::sync::Mutex;

use async_trait::async_trait;
use precip_core::trigger::ObjectEvent;

use super::world::{World, landing_sensor, object_event, utc};
use crate::{
    state::TriggerStore,
    trigger::{
        Decision, ListedObject, ObjectListing, ObjectOptions, ObjectPage, SweepOptions,
        SweepOutcome, evaluate_objects, sensor_id, sweep_bucket, switch_trigger,
    },
};

/// A bucket in memory, two objects a page.
#[derive(Default)]
pub(super) struct Bucket(Mutex<Vec<ListedObject>>);

impl Bucket {
    pub(super) fn remove_object(&self, key: &str) {
        let mut objects = self.0.lock().unwrap();
        objects.retain(|object| object.key != key);
    }

    pub(super) fn put_object(&self, event: &ObjectEvent) {
        let mut objects = self.0.lock().unwrap();
        objects.retain(|object| object.key != event.key);
        objects.push(ListedObject {
            key: event.key.clone(),
            size: event.size.unwrap(),
            etag: event.etag.clone(),
            last_modified: event.at,
        });
        objects.sort_by(|a, b| a.key.cmp(&b.key));
    }
}

#[async_trait]
impl ObjectListing for Bucket {
    async fn list_objects(
        &self,
        bucket: &str,
        prefix: &str,
        after: Option<&str>,
    ) -> Result<ObjectPage, String> {
        assert_eq!((bucket, prefix), ("bucket", "orders/"));
        let objects = self.0.lock().unwrap();
        let rest = objects
            .iter()
            .filter(|object| after.is_none_or(|after| *object.key > *after));
        let objects: Vec<ListedObject> = rest.take(2).cloned().collect();
        let next = objects
            .last()
            .filter(|_| objects.len() == 2)
            .map(|last| last.key.clone());
        Ok(ObjectPage {
            objects,
            next,
            ..ObjectPage::default()
        })
    }
}

pub(super) async fn sweep_orders(world: &World, bucket: &Bucket) -> SweepOutcome {
    let sensor = landing_sensor("orders/{date}.csv", "orders");
    sweep_bucket(
        &world.ports,
        &sensor,
        "bucket",
        bucket,
        SweepOptions::default(),
    )
    .await
    .unwrap()
}

pub(super) fn day_event(day: u32, time: &str) -> ObjectEvent {
    object_event(&format!("orders/2024-03-{day:02}.csv"), time, 1)
}

#[tokio::test]
async fn a_sweep_finds_every_event_of_a_dropped_batch() {
    let (world, bucket) = (World::new(), Bucket::default());
    let batch: Vec<ObjectEvent> = (1..=9)
        .map(|d| day_event(d, "2024-12-01T11:00:00Z"))
        .collect();
    batch.iter().for_each(|event| bucket.put_object(event));
    let sensor = landing_sensor("orders/{date}.csv", "orders");
    // The events of two objects arrive; the others are lost.
    evaluate_objects(&world.ports, &sensor, &batch[..2], ObjectOptions::default())
        .await
        .unwrap();
    let found = sweep_orders(&world, &bucket).await;
    // Every object is listed; only those without a handled event count as missed.
    assert_eq!((found.listed, found.missed), (9, 7));
    let keys: Vec<String> = world
        .recorded_runs()
        .await
        .into_iter()
        .flat_map(|(_, keys)| keys)
        .collect();
    assert_eq!(keys.len(), 9);
    // An object that the sweep found is not requested again, neither by its late event nor by a sweep.
    let late = evaluate_objects(&world.ports, &sensor, &batch, ObjectOptions::default())
        .await
        .unwrap();
    assert_eq!(late.decisions, vec![Decision::Duplicate; 9]);
    assert_eq!(sweep_orders(&world, &bucket).await.missed, 0);
}

#[tokio::test]
async fn an_object_that_was_loaded_since_it_was_written_was_not_missed() {
    let (world, bucket) = (World::new(), Bucket::default());
    bucket.put_object(&day_event(1, "2024-12-01T10:00:00Z"));
    bucket.put_object(&day_event(2, "2024-12-01T10:00:00Z"));
    world
        .materialize_at("orders", "2024-03-01", "2024-12-01T10:01:00Z")
        .await;
    world
        .materialize_at("orders", "2024-03-02", "2024-12-01T09:59:00Z")
        .await;
    assert_eq!(sweep_orders(&world, &bucket).await.missed, 1);
    assert_eq!(world.requested_lines().await, ["orders 2024-03-02"]);
}

#[tokio::test]
async fn a_new_object_is_left_to_its_event_and_found_later() {
    let (world, bucket) = (World::new(), Bucket::default());
    bucket.put_object(&day_event(1, "2024-12-01T11:58:00Z"));
    assert_eq!(sweep_orders(&world, &bucket).await.missed, 0);
    world.clock.set_now("2024-12-01T12:10:00Z");
    assert_eq!(sweep_orders(&world, &bucket).await.missed, 1);
    // An object that is written again is swept again.
    bucket.put_object(&object_event(
        "orders/2024-03-01.csv",
        "2024-12-01T12:11:00Z",
        2,
    ));
    world.clock.set_now("2024-12-01T12:30:00Z");
    assert_eq!(sweep_orders(&world, &bucket).await.missed, 1);
}

#[tokio::test]
async fn a_stopped_sensor_is_not_swept() {
    let (world, bucket) = (World::new(), Bucket::default());
    bucket.put_object(&day_event(1, "2024-12-01T10:00:00Z"));
    let id = sensor_id("landing");
    switch_trigger(
        world.memory.as_ref(),
        &id,
        false,
        utc("2024-12-01T00:00:00Z"),
    )
    .await
    .unwrap();
    assert_eq!(sweep_orders(&world, &bucket).await, SweepOutcome::default());
    assert_eq!(world.memory.trigger_state(&id).await.unwrap().revision, 0);
}

/// Evaluates one change, notified with a sequencer or found by a sweep.
async fn decide_change(world: &World, event: &ObjectEvent, found_by_sweep: bool) -> Decision {
    let sensor = landing_sensor("orders/{date}.csv", "orders");
    let options = ObjectOptions {
        bucket: Some("bucket"),
        found_by_sweep,
    };
    let outcome = evaluate_objects(&world.ports, &sensor, std::slice::from_ref(event), options)
        .await
        .unwrap();
    outcome.decisions.into_iter().next().unwrap()
}

/// A change of one object, with the content `etag`.
fn change(etag: &str, time: &str) -> ObjectEvent {
    ObjectEvent {
        etag: Some(etag.into()),
        sequencer: Some(format!("00{}", time.replace(['-', ':', 'T', 'Z'], ""))),
        ..day_event(1, time)
    }
}

#[tokio::test]
async fn content_that_returns_is_another_change() {
    // Each row: the times of contents a, b, a; whether a sweep found each.
    for found in [
        [true, false, false],
        [false, true, true],
        [true, true, true],
        [false, false, true],
        [true, false, true],
        [false, false, false],
    ] {
        let world = World::new();
        let changes = [
            change("a", "2024-12-01T08:00:00Z"),
            change("b", "2024-12-01T09:00:00Z"),
            change("a", "2024-12-01T10:00:00Z"),
        ];
        for (event, swept) in changes.iter().zip(found) {
            let event = if swept {
                event.as_swept()
            } else {
                event.clone()
            };
            let decision = decide_change(&world, &event, swept).await;
            assert!(
                matches!(decision, Decision::Requested { .. }),
                "{found:?}: {event:?} is {decision:?}"
            );
            // The same change is requested once, however often and in whichever way it is seen.
            let again = decide_change(&world, &event, swept).await;
            assert_eq!(again, Decision::Duplicate, "{found:?}: {event:?}");
            let other = decide_change(&world, &event.as_swept(), true).await;
            assert_eq!(other, Decision::Duplicate, "{found:?}: {event:?}");
        }
        assert_eq!(world.recorded_runs().await.len(), 3, "{found:?}");
    }
}

#[tokio::test]
async fn versions_identify_changes_without_sequencers() {
    let world = World::new();
    let version = |version: &str, time: &str| ObjectEvent {
        sequencer: None,
        version: Some(version.into()),
        ..change("a", time)
    };
    for event in [
        version("1", "2024-12-01T08:00:00Z"),
        version("2", "2024-12-01T09:00:00Z"),
    ] {
        let first = decide_change(&world, &event, false).await;
        assert!(matches!(first, Decision::Requested { .. }), "{first:?}");
        let again = decide_change(&world, &event, false).await;
        assert_eq!(again, Decision::Duplicate);
    }
}

#[tokio::test]
async fn two_writes_within_a_second_are_two_changes_of_a_folder() {
    let world = World::new();
    // A folder's times have nanoseconds, and its notifications have no sequencers.
    let write = |etag: &str, time: &str| change(etag, time).as_swept();
    let (first, second) = (
        write("1-100", "2024-12-01T08:00:00.1Z"),
        write("2-500", "2024-12-01T08:00:00.5Z"),
    );
    for (event, swept) in [(&first, false), (&second, true)] {
        let decision = decide_change(&world, event, swept).await;
        assert!(
            matches!(decision, Decision::Requested { .. }),
            "{decision:?}"
        );
    }
    let again = decide_change(&world, &second, true).await;
    assert_eq!(again, Decision::Duplicate);
}
