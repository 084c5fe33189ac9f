//! The sample events: each is parsed as the functions parse it.

use std::{fs, path::PathBuf};

use precip_core::{
    partitions::{PartitionContext, PartitionSet},
    trigger::{EventPattern, ObjectChange, ObjectEvent, SensorSource, read_events},
};
use precip_engine::{
    machine::{ExecutionEnded, MaterializeRequest, PlannerRequest},
    trigger::{Invocation, sensor_of_queue},
};
use serde_json::Value;

fn file(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../events")).join(name)
}

fn payload(name: &str) -> Value {
    let text = fs::read_to_string(file(name)).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn one(name: &str) -> ObjectEvent {
    let mut messages = read_events(&payload(name)).unwrap();
    assert_eq!(messages.len(), 1, "{name}");
    let events = messages.remove(0).events.unwrap();
    assert_eq!(events.len(), 1, "{name}");
    events.into_iter().next().unwrap()
}

/// Every event of S3 is parsed, and survives its own format.
#[test]
fn every_event_of_s3_is_read_and_comes_back() {
    let mut names: Vec<String> = fs::read_dir(file("s3"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert_eq!(names.len(), 6);
    for name in names {
        let messages = read_events(&payload(&format!("s3/{name}"))).unwrap();
        let events = messages
            .into_iter()
            .filter_map(|message| message.events.ok())
            .flatten();
        let mut count = 0;
        for event in events {
            let written = serde_json::to_string(&event).unwrap();
            assert_eq!(
                serde_json::from_str::<ObjectEvent>(&written).unwrap(),
                event,
                "{name}"
            );
            count += 1;
        }
        assert!(count > 0, "{name} holds no event");
    }
}

#[test]
fn an_odd_key_is_the_same_whichever_way_it_comes() {
    let odd = "reference/São Paulo +1 50%25 (neu).csv";
    let event_bridge = one("s3/object_created_odd_key.json");
    let notification = one("s3/notification.json");
    assert_eq!(
        (event_bridge.key.as_str(), notification.key.as_str()),
        (odd, odd)
    );
    // A sensor treats both deliveries as one event.
    assert_eq!(event_bridge.identity(), notification.identity());
}

#[test]
fn versions_deletions_and_uploads_in_parts_are_told_apart() {
    let multipart = one("s3/object_created_multipart.json");
    assert_eq!(
        multipart.version.as_deref(),
        Some("uhggCJ2_B6gU2JaXWXebnXFDstO0ID6G")
    );
    assert_eq!(multipart.size, Some(198_524_144));
    let deleted = one("s3/object_deleted.json");
    assert_eq!(
        (deleted.change, deleted.size),
        (ObjectChange::Deleted, None)
    );
    let created = one("s3/object_created.json");
    assert_eq!(created.key, deleted.key);
    assert!(deleted.is_after(&created));
}

#[test]
fn a_batch_names_its_messages_and_harms_none_by_another() {
    let messages = read_events(&payload("s3/sqs_batch.json")).unwrap();
    let told: Vec<bool> = messages
        .iter()
        .map(|message| message.events.is_ok())
        .collect();
    assert_eq!(told, [true, true, true, false]);
    assert!(messages.iter().all(|message| message.message.is_some()));
    let identity = |place: usize| messages[place].events.as_ref().unwrap()[0].identity();
    assert_eq!(identity(0), identity(2));
    assert_ne!(identity(0), identity(1));
}

/// Each landing file belongs to a sensor of the sample project, names an existing partition, and matches
/// the rule of EventBridge.
#[test]
fn every_landing_file_is_some_sensors() {
    let definitions = flights::definitions().unwrap();
    let context = PartitionContext::at("2013-06-01T00:00:00Z".parse().unwrap());
    let mut taken = 0;
    for folder in ["flights", "weather", "reference"] {
        for entry in fs::read_dir(file("landing").join(folder)).unwrap() {
            let entry = entry.unwrap();
            let key = format!("{folder}/{}", entry.file_name().to_string_lossy());
            let size = entry.metadata().unwrap().len();
            let sensor = definitions
                .sensors()
                .find(|sensor| match &sensor.spec.source {
                    SensorSource::Objects(objects) => objects.accepts_object(&key, Some(size)),
                    _ => false,
                });
            let sensor = sensor.unwrap_or_else(|| panic!("no sensor waits for {key}"));
            if let Some(fit) = sensor.spec.fit_template(definitions.graph()).unwrap() {
                let made = fit.read_key(&key, &context).unwrap().unwrap();
                assert_eq!(
                    made.partition.unwrap().as_str(),
                    &key[folder.len() + 1..][..10]
                );
            }
            taken += 1;
        }
    }
    assert_eq!(taken, 31 + 31 + 3);
    let SensorSource::Objects(objects) =
        &definitions.sensor("landing_flights").unwrap().spec.source
    else {
        panic!("it waits for objects");
    };
    let pattern = EventPattern::new(objects, "flights-landing").unwrap();
    let object = &pattern.as_json()["detail"]["object"];
    assert_eq!(object["key"][0]["wildcard"], "flights/*.csv.gz");
}

/// A batch of SQS is parsed as the invocation of its sensor.
#[test]
fn a_batch_is_out_of_the_queue_of_its_sensor() {
    let batch = Invocation::from_payload(&payload("s3/sqs_batch.json")).unwrap();
    let Invocation::Objects { queue, messages } = batch else {
        panic!("it is a batch");
    };
    let definitions = flights::definitions().unwrap();
    let sensor = sensor_of_queue(queue.as_deref().unwrap()).unwrap();
    let sensor = definitions.sensor(sensor).unwrap();
    let SensorSource::Objects(objects) = &sensor.spec.source else {
        panic!("it waits for objects");
    };
    let mut taken = 0;
    for event in messages
        .iter()
        .flat_map(|message| message.events.as_ref().ok())
        .flatten()
    {
        assert!(objects.accepts_object(&event.key, event.size), "{event:?}");
        taken += 1;
    }
    assert_eq!((messages.len(), taken), (4, 3));
    // A single event is parsed too.
    for name in ["s3/object_created.json", "s3/notification.json"] {
        let alone = Invocation::from_payload(&payload(name)).unwrap();
        assert!(
            matches!(&alone, Invocation::Objects { queue: None, messages } if messages.len() == 1)
        );
    }
}

#[test]
fn a_look_after_a_change_and_a_sweep_are_read_and_come_back() {
    let look = payload("scheduler/after_change.json");
    let Invocation::Tick(call) = Invocation::from_payload(&look).unwrap() else {
        panic!("it is a tick");
    };
    assert_eq!(call.scheduled_for, None);
    assert!(
        flights::definitions()
            .unwrap()
            .schedule(&call.schedule)
            .is_some()
    );
    assert_eq!(serde_json::to_value(&call).unwrap(), look);
    let sweep = payload("scheduler/sweep.json");
    let Invocation::Sweep(call) = Invocation::from_payload(&sweep).unwrap() else {
        panic!("it is a sweep");
    };
    assert_eq!(serde_json::to_value(&call).unwrap(), sweep);
}

/// The samples are the payloads that the template configures.
#[test]
fn the_template_sends_what_the_samples_show() {
    let template = PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../infra/generated"
    ));
    let template = fs::read_to_string(template.join("template.yaml")).unwrap();
    let sent: Vec<Value> = template
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Input: '")?.strip_suffix('\''))
        .map(|input| serde_json::from_str(input).unwrap())
        .collect();
    for name in ["each_morning", "sweep"] {
        let sample = payload(&format!("scheduler/{name}.json"));
        let fields =
            |value: &Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
        let same = |sent: &&Value| {
            sent.get("schedule") == sample.get("schedule")
                && sent.get("sweep") == sample.get("sweep")
        };
        let sent = sent
            .iter()
            .find(same)
            .unwrap_or_else(|| panic!("{name} is not sent"));
        assert_eq!(fields(sent), fields(&sample));
    }
}

#[test]
fn the_scheduler_names_a_schedule_and_its_tick() {
    let invocation = payload("scheduler/each_morning.json");
    let Invocation::Tick(call) = Invocation::from_payload(&invocation).unwrap() else {
        panic!("it is a tick");
    };
    assert_eq!(serde_json::to_value(&call).unwrap(), invocation);
    let definitions = flights::definitions().unwrap();
    let schedule = definitions.schedule(&call.schedule).unwrap();
    let ticking = schedule.spec.resolve(definitions.graph()).unwrap();
    let tick = call.scheduled_for.unwrap();
    assert!(
        ticking.cron().ticks_at(tick),
        "{tick} is a tick of {}",
        ticking.cron()
    );
}

/// Checks that each field of a sample is written again.
fn comes_back(sample: &Value, written: &Value) {
    for (name, field) in sample.as_object().unwrap() {
        assert_eq!(written.get(name), Some(field), "{name} of {written}");
    }
}

/// Each request of a state machine to the planner is parsed and written again.
#[test]
fn what_the_machines_ask_is_read_and_comes_back() {
    for name in ["plan", "settle", "record", "finish"] {
        let mut sample = payload(&format!("stepfunctions/{name}.json"));
        let request: PlannerRequest = serde_json::from_value(sample.clone()).unwrap();
        assert_eq!(request.name(), name);
        // Of Lambda's answer about the account, one number is read.
        if let PlannerRequest::Plan { account, .. } = &request {
            assert_eq!(account.functions_at_once(800, None), 720);
            sample["account"] = serde_json::to_value(account).unwrap();
        }
        comes_back(&sample, &serde_json::to_value(&request).unwrap());
        if let PlannerRequest::Record(record) = request {
            let (step, error) = record.failed.get().unwrap();
            assert_eq!(
                (step.as_str(), &*error.message()),
                ("flights", "the file has no header")
            );
        }
    }
}

#[test]
fn an_item_to_be_made_is_a_partition_of_the_sample_project() {
    let sample = payload("stepfunctions/materialize.json");
    let request: MaterializeRequest = serde_json::from_value(sample.clone()).unwrap();
    comes_back(&sample, &serde_json::to_value(&request).unwrap());
    let definitions = flights::definitions().unwrap();
    let graph = definitions.graph();
    let asset = graph.id(&request.step.as_str().parse().unwrap()).unwrap();
    let context = PartitionContext::at("2024-01-06T11:03:00Z".parse().unwrap());
    let key = request.item.key.unwrap();
    let ordinal = graph.partitions(asset).unwrap().ordinal(&key, &context);
    assert_eq!(
        request.item.partitions,
        PartitionSet::single(ordinal.unwrap())
    );
}

#[test]
fn the_end_of_an_execution_names_it() {
    let sample = payload("stepfunctions/execution_ended.json");
    let ended: ExecutionEnded = serde_json::from_value(sample["detail"].clone()).unwrap();
    assert_eq!(sample["resources"][0], *ended.execution_arn);
    assert!(ended.execution_arn.ends_with(&ended.name));
    let written = serde_json::to_value(&ended).unwrap();
    comes_back(&written, &sample["detail"]);
}

/// The records of the stream pass the template's filter, and a tick is a time.
#[test]
fn a_batch_of_the_table_passes_the_filter_and_a_tick_is_a_moment() {
    let template = PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../infra/generated"
    ));
    let template = fs::read_to_string(template.join("template.yaml")).unwrap();
    let records = payload("dynamodb/stream_batch.json");
    let records = records["Records"].as_array().unwrap();
    assert_eq!(records.len(), 3);
    for record in records {
        let pk = record["dynamodb"]["Keys"]["pk"]["S"].as_str().unwrap();
        let prefix = pk.split_inclusive('#').next().unwrap();
        let passes = format!(r#"{{"prefix":"{prefix}"}}"#);
        assert!(template.contains(&passes), "{pk} is filtered out");
    }
    let tick = payload("scheduler/tick.json");
    let moment = tick["tick"].as_str().unwrap();
    assert!(
        moment.parse::<chrono::DateTime<chrono::Utc>>().is_ok(),
        "{moment}"
    );
    // The end of a deployment sends another tick.
    assert!(template.contains(r#"Input: '{"tick":"deployed"}'"#));
}

/// Each sample is in the list of samples, with the command that sends it.
#[test]
fn the_list_names_each_sample_and_says_how_to_send_it() {
    let list = fs::read_to_string(file("README.md")).unwrap();
    for folder in ["dynamodb", "s3", "scheduler", "stepfunctions"] {
        for entry in fs::read_dir(file(folder)).unwrap() {
            let name = entry.unwrap().file_name().to_string_lossy().into_owned();
            let line = format!(" --data-file events/{folder}/{name}\n");
            assert!(list.contains(&line), "no line invokes with {folder}/{name}");
        }
    }
}
