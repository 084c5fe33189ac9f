//! Objects that arrive without an event, with times that are not those of their arrival: a folder that is moved into
//! another, or an object that is replicated.

use precip_core::trigger::ObjectEvent;

use super::{
    sweeps::{Bucket, day_event, sweep_orders},
    world::{World, landing_sensor},
};
use crate::trigger::{ObjectOptions, evaluate_objects};

/// A bucket that was swept on the second of December, with an object that was handled.
async fn swept_bucket() -> (World, Bucket) {
    let (world, bucket) = (World::new(), Bucket::default());
    bucket.put_object(&day_event(1, "2024-11-01T10:00:00Z"));
    world.clock.set_now("2024-12-02T12:00:00Z");
    assert_eq!(sweep_orders(&world, &bucket).await.missed, 1);
    (world, bucket)
}

#[tokio::test]
async fn an_object_with_an_old_time_is_found_once() {
    let (world, bucket) = swept_bucket().await;
    // Written before everything that was swept, and before objects that were handled.
    bucket.put_object(&day_event(2, "2024-01-05T10:00:00Z"));
    bucket.put_object(&day_event(3, "2024-11-30T10:00:00Z"));
    world.clock.set_now("2024-12-02T13:00:00Z");
    assert_eq!(sweep_orders(&world, &bucket).await.missed, 2);
    for now in ["2024-12-02T14:00:00Z", "2025-01-02T14:00:00Z"] {
        world.clock.set_now(now);
        assert_eq!(sweep_orders(&world, &bucket).await.missed, 0, "{now}");
    }
    assert_eq!(
        world.requested_lines().await,
        [
            "orders 2024-03-01",
            "orders 2024-03-02",
            "orders 2024-03-03"
        ]
    );
}

#[tokio::test]
async fn a_partition_that_was_made_before_the_object_arrived_is_made_again() {
    let (world, bucket) = swept_bucket().await;
    // After the sweep the partition is made by hand, without the object that arrives then.
    world
        .materialize_at("orders", "2024-03-02", "2024-12-02T12:30:00Z")
        .await;
    bucket.put_object(&day_event(2, "2024-01-05T10:00:00Z"));
    world.clock.set_now("2024-12-02T13:00:00Z");
    assert_eq!(sweep_orders(&world, &bucket).await.missed, 1);
}

#[tokio::test]
async fn an_object_that_is_replaced_by_an_older_one_is_made_again() {
    let (world, bucket) = swept_bucket().await;
    let older = ObjectEvent {
        etag: Some("older".to_owned()),
        ..day_event(1, "2024-01-05T10:00:00Z")
    };
    bucket.put_object(&older);
    world.clock.set_now("2024-12-02T13:00:00Z");
    assert_eq!(sweep_orders(&world, &bucket).await.missed, 1);
    world.clock.set_now("2024-12-02T14:00:00Z");
    assert_eq!(sweep_orders(&world, &bucket).await.missed, 0);
    // The first one is moved back.
    bucket.put_object(&day_event(1, "2024-11-01T10:00:00Z"));
    world.clock.set_now("2024-12-02T15:00:00Z");
    assert_eq!(sweep_orders(&world, &bucket).await.missed, 1);
    world.clock.set_now("2024-12-02T16:00:00Z");
    assert_eq!(sweep_orders(&world, &bucket).await.missed, 0);
}

#[tokio::test]
async fn an_object_of_a_changed_size_alone_is_another_one() {
    let (world, bucket) = swept_bucket().await;
    // A tool that keeps times, and a bucket without entity tags.
    let sized = |size| ObjectEvent {
        etag: None,
        size: Some(size),
        ..day_event(2, "2024-01-05T10:00:00Z")
    };
    bucket.put_object(&sized(1));
    for (size, now) in [(1, "2024-12-02T13:00:00Z"), (2, "2024-12-02T14:00:00Z")] {
        bucket.put_object(&sized(size));
        world.clock.set_now(now);
        assert_eq!(sweep_orders(&world, &bucket).await.missed, 1, "{size}");
    }
}

#[tokio::test]
async fn an_object_whose_event_was_handled_is_not_found() {
    let (world, bucket) = swept_bucket().await;
    let sensor = landing_sensor("orders/{date}.csv", "orders");
    // A file of a moved folder, which is announced with its own time.
    let moved = day_event(2, "2024-01-05T10:00:00Z").as_swept();
    // A large upload, whose time in listings is that of its start.
    let uploaded = day_event(3, "2024-12-02T12:20:00Z");
    let events = [moved.clone(), uploaded.clone()];
    evaluate_objects(&world.ports, &sensor, &events, ObjectOptions::default())
        .await
        .unwrap();
    bucket.put_object(&moved);
    bucket.put_object(&ObjectEvent {
        at: "2024-12-01T09:00:00Z".parse().unwrap(),
        ..uploaded
    });
    world.clock.set_now("2024-12-02T13:00:00Z");
    assert_eq!(sweep_orders(&world, &bucket).await.missed, 0);
    assert_eq!(world.recorded_runs().await.len(), 2);
}

#[tokio::test]
async fn a_removed_object_asks_for_nothing() {
    let (world, bucket) = swept_bucket().await;
    bucket.put_object(&day_event(2, "2024-01-05T10:00:00Z"));
    bucket.remove_object("orders/2024-03-01.csv");
    world.clock.set_now("2024-12-02T13:00:00Z");
    let swept = sweep_orders(&world, &bucket).await;
    assert_eq!((swept.listed, swept.missed), (1, 1));
}

#[tokio::test]
async fn an_object_with_a_time_to_come_is_found_once() {
    let (world, bucket) = swept_bucket().await;
    bucket.put_object(&day_event(2, "2030-01-01T00:00:00Z"));
    for (now, missed) in [
        ("2024-12-02T13:00:00Z", 1),
        ("2024-12-02T14:00:00Z", 0),
        ("2030-01-01T00:01:00Z", 0),
        ("2031-01-01T00:00:00Z", 0),
    ] {
        world.clock.set_now(now);
        assert_eq!(sweep_orders(&world, &bucket).await.missed, missed, "{now}");
    }
}
