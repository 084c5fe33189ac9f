//! What the commands about sensors and schedules print.

use insta::assert_snapshot;
use precip_cli::exit::Exit;
use precip_core::trigger::{
    Bucket, DefaultStatus, ObjectFilter, ObjectSensor, SensorSource, SensorSpec,
};
use precip_engine::{definitions::Declaration, trigger::SensorDefinition};

use crate::{
    project::with,
    world::{World, stable},
};

const EVENT: &str = r#"{"detail-type": "Object Created", "time": "2024-01-05T00:00:00Z", "detail":
    {"bucket": {"name": "landing"}, "object": {"key": "trips/2024-01-02.csv", "size": 9,
    "etag": "e", "sequencer": "0A"}}}"#;

#[tokio::test]
async fn sensors_and_schedules_are_listed() {
    let _settings = stable();
    let world = World::new().await;
    assert_snapshot!("sensors", world.prints("sensors", &[]).await);
    assert_snapshot!("schedules", world.prints("schedules", &[]).await);
    assert_snapshot!("sensor", world.prints("sensor", &["landing_trips"]).await);
    assert_snapshot!("schedule", world.prints("schedule", &["nightly"]).await);
    let preview = world
        .prints("schedule", &["nightly", "preview", "-n", "2"])
        .await;
    assert_snapshot!("schedule_preview", preview);
}

#[tokio::test]
async fn they_are_turned_on_and_off_and_the_ticks_say_so() {
    let _settings = stable();
    let world = World::new().await;
    world.prints("sensor", &["landing_trips", "start"]).await;
    world.prints("schedule", &["nightly", "stop"]).await;
    world.prints("schedule", &["nightly", "start"]).await;
    world
        .prints("sensor", &["landing_trips", "reset-cursor"])
        .await;
    assert_snapshot!("sensors_on", world.prints("sensors", &[]).await);
    assert_snapshot!("ticks", world.prints("ticks", &[]).await);
    let world = world.json();
    assert_snapshot!("ticks_json", world.prints("ticks", &["nightly"]).await);
}

#[tokio::test]
async fn a_sensor_is_tried_on_an_event_and_nothing_changes() {
    let _settings = stable();
    let world = World::new().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("event.json");
    std::fs::write(&file, EVENT).unwrap();
    let tried = ["landing_trips", "--event", file.to_str().unwrap()];
    assert_snapshot!("sensor_event", world.prints("sensor", &tried).await);
    assert_eq!(world.prints("ticks", &[]).await, "");
    let world = world.json();
    assert_snapshot!("sensor_event_json", world.prints("sensor", &tried).await);
    std::fs::write(&file, "{}").unwrap();
    let refused = world.refuses("sensor", &tried).await;
    assert!(refused.contains("this is no event of S3"), "{refused}");
    assert!(
        world
            .refuses("schedule", &["nigthly"])
            .await
            .contains("did you mean `nightly`?")
    );
}

/// A sensor of trips in a bucket.
fn landing(name: &str, bucket: Bucket) -> Declaration {
    let sensor = SensorDefinition::new(SensorSpec {
        name: name.parse().unwrap(),
        source: SensorSource::Objects(ObjectSensor {
            bucket,
            filter: ObjectFilter::Key("trips/{date}.csv".parse().unwrap()),
            min_size: 1,
            deletes: false,
        }),
        target: Some("trips".parse().unwrap()),
        default_status: DefaultStatus::Running,
        description: None,
        has_function: false,
    });
    Declaration::Sensor(Box::new(sensor))
}

/// What would be found out by the first event is found out before it, and what is well is counted.
#[tokio::test(flavor = "multi_thread")]
async fn a_sensor_that_is_wrong_is_told_by_doctor() {
    let _stable = stable();
    let unset = Bucket::Variable {
        name: "PRECIP_TEST_BUCKET_THAT_NOBODY_SET".to_owned(),
        default: None,
    };
    let well = Bucket::Named("landing".to_owned());
    let world = World::of(with(vec![landing("unset", unset), landing("well", well)])).await;
    let mut out = Vec::new();
    let exit = world.run("doctor", &[], &mut out).await.unwrap();
    assert_eq!(exit, Exit::Environment);
    let said = String::from_utf8(out).unwrap();
    for told in [
        "wrong  sensor `unset`: its bucket: environment variable \
         `PRECIP_TEST_BUCKET_THAT_NOBODY_SET` is not set",
        "ok     sensors: 2 sensors checked",
    ] {
        assert!(said.contains(told), "{told}: {said}");
    }
}
