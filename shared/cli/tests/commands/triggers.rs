//! Commands about sensors and schedules.

use insta::assert_snapshot;
use precip_cli::{target::Target, testing::Exit};
use precip_core::trigger::{
    Bucket, DefaultStatus, ObjectFilter, ObjectSensor, SensorSource, SensorSpec,
};
use precip_engine::{definitions::Declaration, trigger::SensorDefinition};

use crate::{
    project::definitions_with,
    world::{World, stable_snapshots},
};

const EVENT: &str = r#"{"detail-type": "Object Created", "time": "2024-01-05T00:00:00Z", "detail":
    {"bucket": {"name": "landing"}, "object": {"key": "trips/2024-01-02.csv", "size": 9,
    "etag": "e", "sequencer": "0A"}}}"#;

#[tokio::test]
async fn sensors_and_schedules_are_listed() {
    let _stable = stable_snapshots();
    let world = World::new().await;
    assert_snapshot!("sensors", world.output_of("sensors", &[]).await);
    assert_snapshot!("schedules", world.output_of("schedules", &[]).await);
    assert_snapshot!(
        "sensor",
        world.output_of("sensor", &["landing_trips"]).await
    );
    assert_snapshot!("schedule", world.output_of("schedule", &["nightly"]).await);
    let preview = world
        .output_of("schedule", &["nightly", "preview", "-n", "2"])
        .await;
    assert_snapshot!("schedule_preview", preview);
}

#[tokio::test]
async fn starting_and_stopping_is_recorded_as_ticks() {
    let _stable = stable_snapshots();
    let world = World::new().await;
    world.output_of("sensor", &["landing_trips", "start"]).await;
    world.output_of("schedule", &["nightly", "stop"]).await;
    world.output_of("schedule", &["nightly", "start"]).await;
    world
        .output_of("sensor", &["landing_trips", "reset-cursor"])
        .await;
    assert_snapshot!("sensors_on", world.output_of("sensors", &[]).await);
    assert_snapshot!("ticks", world.output_of("ticks", &[]).await);
    let world = world.with_json();
    assert_snapshot!("ticks_json", world.output_of("ticks", &["nightly"]).await);
}

#[tokio::test]
async fn a_sensor_is_tested_with_an_event_and_nothing_changes() {
    let _stable = stable_snapshots();
    let world = World::new().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("event.json");
    std::fs::write(&file, EVENT).unwrap();
    let tried = ["landing_trips", "--event", file.to_str().unwrap()];
    assert_snapshot!("sensor_event", world.output_of("sensor", &tried).await);
    assert_eq!(world.output_of("ticks", &[]).await, "");
    let world = world.with_json();
    assert_snapshot!("sensor_event_json", world.output_of("sensor", &tried).await);
    // Any other JSON is refused.
    std::fs::write(&file, "{}").unwrap();
    let refused = world.failure_of("sensor", &tried).await;
    assert!(refused.contains("this is no event of S3"), "{refused}");
    assert!(
        world
            .failure_of("schedule", &["nigthly"])
            .await
            .contains("did you mean `nightly`?")
    );
}

/// Returns a sensor of trips in a bucket.
fn landing_sensor(name: &str, bucket: Bucket) -> Declaration {
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

/// A sensor whose bucket is unknown is found before its first event; sensors without a problem are
/// counted.
#[tokio::test(flavor = "multi_thread")]
async fn a_sensor_without_a_bucket_is_shown_by_doctor() {
    let _stable = stable_snapshots();
    let unset = Bucket::Variable {
        name: "PRECIP_TEST_UNSET_BUCKET".to_owned(),
        default: None,
    };
    let well = Bucket::Named("landing".to_owned());
    let world = World::with_definitions(definitions_with(vec![
        landing_sensor("unset", unset),
        landing_sensor("well", well),
    ]))
    .await;
    let mut out = Vec::new();
    let exit = world.run_command("doctor", &[], &mut out).await.unwrap();
    assert_eq!(exit, Exit::Environment);
    let printed = String::from_utf8(out).unwrap();
    for line in [
        "wrong  sensor `unset`: its bucket: environment variable \
         `PRECIP_TEST_UNSET_BUCKET` is not set",
        "ok     sensors: 2 sensors checked",
    ] {
        assert!(printed.contains(line), "{line}: {printed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_of_data_that_cannot_be_written_is_shown_by_doctor() {
    let world = World::new().await;
    let Target::Local(home) = &world.session.target else {
        panic!("the world is on this machine");
    };
    let asset = world.session.definitions.graph();
    let asset = asset.key(asset.ids().next().unwrap());
    // A file in place of the folder: tests may run as a user who may write everywhere.
    let folder = home.data_folder().join(asset.as_str());
    std::fs::create_dir_all(folder.parent().unwrap()).unwrap();
    std::fs::write(&folder, "").unwrap();
    let mut out = Vec::new();
    let exit = world.run_command("doctor", &[], &mut out).await.unwrap();
    assert_eq!(exit, Exit::Environment);
    let printed = String::from_utf8(out).unwrap();
    let wrong = format!(
        "wrong  folder `{}`: is not writable: Not a directory",
        folder.display()
    );
    assert!(printed.contains(&wrong), "{printed}");
    let help = "a file is where a folder should be; move it away or choose another folder";
    assert!(printed.contains(help), "{printed}");
}
