//! Events, ticks and sweeps, from their arrival to the recorded run.

mod reactor;

use precip::{
    core::trigger::DefaultStatus,
    engine::{
        deployment::Executions,
        machine::StartInput,
        run::{Clock, SystemClock},
        state::{MaterializationStore, PartitionRef, ReadConsistency, RunOrigin, RunStatus},
    },
};
use precip_graphs::description::{Keys, Node, Project};
use serde_json::json;

use crate::{
    deployment::{TriggerDeployment, distinct_keys, run_landing},
    project::{DAYS, first_days, object_sensor, trigger_project},
};

/// The number of files at once, unless `PRECIP_TEST_FILES` sets it, and the share with two events.
const FILES: usize = 1_000;
const TWICE: &str = "0.2";
/// The messages of one call: fewer than on AWS, so that more processes are killed.
const BATCH: &str = "100";

/// Returns the key of a landing file.
fn landing_key(sensor: &str, day: &str) -> String {
    format!("landing/{sensor}/{day}.csv")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_starts_a_run_of_all_that_depends_on_it() {
    let cloud = TriggerDeployment::deploy("landed", trigger_project()).await;
    let clicks = landing_key("clicks", "2024-01-05");
    run_landing(&[
        "put",
        cloud.bucket(),
        &landing_key("orders", "2024-01-05"),
        &clicks,
    ]);
    let runs = cloud.await_runs(1).await;
    // The sensor of clicks is off, so its event starts nothing.
    cloud.await_messages(&cloud.queue_name("clicks"), 0).await;
    let runs_now = cloud.list_runs().await;
    assert_eq!((runs.len(), runs_now.len()), (1, 1), "{runs_now:?}");
    assert!(matches!(runs[0].request.origin, RunOrigin::Trigger(_)));
    assert_eq!(runs[0].request.partitions.as_deref(), Some("2024-01-05"));
    let index = first_days(DAYS)
        .iter()
        .position(|day| day == "2024-01-05")
        .unwrap();
    for asset in ["orders", "joined", "report"] {
        let ordinal = u64::try_from(index).unwrap();
        let target = PartitionRef::new(asset.parse().unwrap(), "2024-01-05", ordinal);
        let latest = cloud
            .state
            .latest_materialization(&target, ReadConsistency::Strong)
            .await;
        let latest = latest.unwrap().expect(asset);
        assert!(latest.is_published_by(runs[0].id), "{latest:?}");
    }

    // Turned on, it handles the next event of the same file.
    let listed = cloud.run_command(&["sensors"]);
    assert!(
        listed.contains("orders") && listed.contains("off"),
        "{listed}"
    );
    cloud.run_command(&["sensor", "clicks", "start"]);
    run_landing(&["put", cloud.bucket(), &clicks]);
    let runs = cloud.await_runs(2).await;
    assert_eq!(runs[1].request.selection, "key:\"clicks\"");
    let ticks = cloud.run_command(&["ticks", "clicks"]);
    assert!(ticks.contains(&runs[1].id.to_string()), "{ticks}");
    cloud.run_command(&["sensor", "clicks", "stop"]);
    run_landing(&["put", cloud.bucket(), &landing_key("clicks", "2024-01-06")]);
    cloud.await_messages(&cloud.queue_name("clicks"), 0).await;
    assert_eq!(cloud.list_runs().await.len(), 2);
    // Without its cursor a sweep lists every file again, but run keys prevent second runs.
    cloud.run_command(&["sensor", "orders", "reset-cursor"]);
    let sweep = json!({"sweep": "orders", "grace_seconds": 0});
    assert_eq!(
        cloud.call_sensor_function(&sweep, 1),
        [(json!({"runs": []}), false)]
    );
    cloud.assert_no_call_refused();
}

/// A file that is overwritten and then put back has its first etag again, and an event of its own.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_put_back_as_it_was_is_new() {
    let project = Project {
        sensors: vec![object_sensor(
            "orders",
            "key:orders",
            DefaultStatus::Running,
        )],
        ..trigger_project()
    };
    let cloud = TriggerDeployment::deploy("put-back", project).await;
    let key = landing_key("orders", "2024-01-05");
    for (number, content) in ["right", "wrong", "right"].into_iter().enumerate() {
        run_landing(&["write", cloud.bucket(), &key, content]);
        let runs = cloud.await_runs(number + 1).await;
        let requested = cloud.requested_partitions(&runs);
        assert_eq!(requested, vec!["2024-01-05"; number + 1]);
    }
    cloud.assert_no_call_refused();
}

/// Functions are deployed while a run is under way, and a key was inserted: the numbers of the run's items
/// mean other partitions now. No item is made, and a retry finds the keys.
#[tokio::test(flavor = "multi_thread")]
async fn items_of_an_older_deployment_are_refused_and_retried_by_key() {
    let with_keys = |keys: &[&str]| Project {
        assets: vec![Node {
            key: "stations".to_owned(),
            keys: Keys::Static(keys.iter().map(|key| (*key).to_owned()).collect()),
            ..Node::default()
        }],
        sensors: Vec::new(),
        schedules: Vec::new(),
        ..trigger_project()
    };
    let cloud = TriggerDeployment::deploy("redeployed", with_keys(&["b", "c"])).await;
    let planner = format!("{}-planner", cloud.stack);
    let materializer = run_landing(&["physical", &cloud.stack, "Materializer512MiB60s"]);
    let execution = json!({
        "id": cloud.executions.execution_arn("console"),
        "name": "console",
        "redrive": 0,
        "start": SystemClock.now(),
    });
    let input = json!({"select": "stations", "partitions": "b"});
    let plan = json!({"do": "plan", "input": input, "execution": execution});
    let (document, failed) = cloud.call_function(&planner, &plan, 1).remove(0);
    assert!(!failed, "{document}");
    let (stage, work) = document["stages"]
        .as_object()
        .unwrap()
        .iter()
        .next()
        .unwrap();
    let item = &work["items"][0];
    let step = item["steps"].as_object().unwrap().keys().next().unwrap();

    cloud.update_functions(&with_keys(&["a", "b", "c"]));
    let request = json!({
        "run": document["run"], "stage": stage, "step": step, "item": item, "retry": 0, "redrive": 0,
        "execution": execution["id"],
    });
    let (refused, failed) = cloud.call_function(&materializer, &request, 1).remove(0);
    let message = refused["errorMessage"].as_str().unwrap_or_default();
    assert!(
        failed && refused["errorType"] == "Precip.Terminal",
        "{refused}"
    );
    assert!(
        message.contains("partition `b` of `stations` has another number"),
        "{message}"
    );
    let settle = json!({
        "do": "finish", "run": document["run"], "mode": "inline", "redrive": 0, "execution": execution,
    });
    let (refused, failed) = cloud.call_function(&planner, &settle, 1).remove(0);
    assert!(
        failed && refused["errorType"] == "Precip.BadInput",
        "{refused}"
    );

    let run = document["run"].as_str().unwrap();
    cloud.run_command(&["cancel", run]);
    // The first run of the new project numbers the record anew.
    let retry = StartInput {
        retry_of: Some(run.parse().unwrap()),
        ..StartInput::default()
    };
    let started = cloud.executions.start_execution("by-hand", &retry).await;
    started.unwrap();
    let runs = cloud.await_retry().await;
    for (key, ordinal, made) in [("a", 0, false), ("b", 1, true), ("c", 2, false)] {
        let target = PartitionRef::new("stations".parse().unwrap(), key, ordinal);
        let latest = cloud
            .state
            .latest_materialization(&target, ReadConsistency::Strong)
            .await
            .unwrap();
        let published = latest.is_some_and(|latest| latest.is_published_by(runs[1].id));
        assert_eq!(published, made, "{key}");
    }
    cloud.assert_no_call_refused();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poisoned_message_harms_no_other() {
    let cloud = TriggerDeployment::deploy("poisoned", trigger_project()).await;
    let queue = cloud.queue_name("orders");
    run_landing(&["say", &queue, "this is not an event"]);
    let keys: Vec<String> = first_days(20)
        .iter()
        .map(|day| landing_key("orders", day))
        .collect();
    let mut announce = vec!["announce", &queue, cloud.bucket(), "1", "0"];
    announce.extend(keys.iter().map(String::as_str));
    run_landing(&announce);
    let unknown = landing_key("orders", "of-no-day");
    run_landing(&["announce", &queue, cloud.bucket(), "2", "0", &unknown]);
    cloud.await_messages(&queue, 1).await;
    let runs = cloud.await_runs(1).await;
    let requested = cloud.requested_partitions(&runs);
    assert_eq!((requested.len(), distinct_keys(&requested).len()), (20, 20));
    // The unreadable message ends in the dead letter queue, which has an alarm.
    cloud.await_messages(&queue, 0).await;
    let address = run_landing(&["physical", &cloud.stack, "SensorDeadLetters"]);
    let dead_letters = address.rsplit('/').next().unwrap();
    cloud.await_messages(dead_letters, 1).await;
}

/// Many events at once, in any order and some of them twice, with functions that abort at any moment: each
/// partition is requested once, and every run is started.
#[tokio::test(flavor = "multi_thread")]
async fn many_files_become_few_runs() {
    let files = std::env::var("PRECIP_TEST_FILES");
    let files = files.map_or(FILES, |files| files.parse().unwrap());
    let killed = Project {
        sensor_kills: 3,
        // Without downstream assets, so that the runs are short.
        sensors: vec![object_sensor(
            "orders",
            "key:orders",
            DefaultStatus::Running,
        )],
        ..trigger_project()
    };
    let cloud = TriggerDeployment::deploy("many", killed).await;
    let queue = cloud.queue_name("orders");
    let days = first_days(files);
    let keys: Vec<String> = days.iter().map(|day| landing_key("orders", day)).collect();
    let mut announce = vec!["announce", &queue, cloud.bucket(), "3", TWICE];
    announce.extend(keys.iter().map(String::as_str));
    run_landing(&["unplug", &queue]);
    run_landing(&announce);
    run_landing(&["drain", &queue, &cloud.outputs["SensorFunctionName"], BATCH]);
    let runs = cloud.list_runs().await;
    let requested = cloud.requested_partitions(&runs);
    assert_eq!(requested.len(), files, "each partition is requested once");
    assert_eq!(
        distinct_keys(&requested),
        days.iter().collect(),
        "no partition is lost"
    );
    cloud.assert_started(&runs).await;
    assert!(runs.len() <= files / 40, "{} runs", runs.len());
    assert!(
        runs.iter().all(|run| run.status != RunStatus::Failed),
        "{runs:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_finds_files_without_events() {
    let cloud = TriggerDeployment::deploy("swept", trigger_project()).await;
    let rule = run_landing(&["physical", &cloud.stack, "SensorOrdersRule"]);
    run_landing(&["mute", rule.rsplit('/').next().unwrap()]);
    let days = first_days(40);
    let keys: Vec<String> = days.iter().map(|day| landing_key("orders", day)).collect();
    let mut put = vec!["put", cloud.bucket()];
    put.extend(keys.iter().map(String::as_str));
    run_landing(&put);
    cloud.await_messages(&cloud.queue_name("orders"), 0).await;
    assert!(cloud.list_runs().await.is_empty());
    // Files that are young are left to their events.
    let answers = cloud.call_sensor_function(&json!({"sweep": "*"}), 1);
    assert_eq!(answers, [(json!({"runs": []}), false)]);
    // Swept twice at once, and once more.
    let sweep = json!({"sweep": "*", "grace_seconds": 0});
    let mut answers = cloud.call_sensor_function(&sweep, 2);
    answers.extend(cloud.call_sensor_function(&sweep, 1));
    assert!(answers.iter().all(|(_, failed)| !failed), "{answers:?}");
    let runs = cloud.await_runs(1).await;
    let requested = cloud.requested_partitions(&runs);
    assert_eq!(
        (requested.len(), distinct_keys(&requested)),
        (40, days.iter().collect())
    );
    cloud.assert_no_call_refused();
    let answers = cloud.call_sensor_function(&json!({"sweep": "unknown"}), 1);
    assert!(
        answers[0].1
            && answers[0].0["errorMessage"]
                .as_str()
                .unwrap()
                .contains("`unknown`"),
        "{answers:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tick_creates_its_run_once() {
    let cloud = TriggerDeployment::deploy("ticked", trigger_project()).await;
    let today = SystemClock.now().date_naive();
    let midnight = today.and_time(chrono::NaiveTime::MIN).and_utc();
    let tick = json!({
        "schedule": "nightly",
        "scheduled_for": midnight,
        "execution": "8f3a1c52-6d5b-4d8e-9d4b-1f2e3d4c5b6a",
        "attempt": "1",
    });
    // Repeated at once and later, and with an evaluation of what is due.
    let mut answers = cloud.call_sensor_function(&tick, 5);
    answers.extend(cloud.call_sensor_function(&tick, 1));
    answers.extend(cloud.call_sensor_function(&json!({"schedule": "nightly"}), 1));
    assert!(answers.iter().all(|(_, failed)| !failed), "{answers:?}");
    let runs = cloud.await_runs(1).await;
    assert_eq!(runs.len(), 1, "{runs:?}");
    assert_eq!(runs[0].request.selection, "key:\"summary\"");
    let listed = cloud.run_command(&["schedules"]);
    assert!(listed.contains("nightly"), "{listed}");
    // A schedule that is off requests nothing.
    cloud.run_command(&["schedule", "nightly", "stop"]);
    let tomorrow = midnight + chrono::TimeDelta::days(1);
    let later = json!({"schedule": "nightly", "scheduled_for": tomorrow});
    assert_eq!(
        cloud.call_sensor_function(&later, 1),
        [(json!({"runs": []}), false)]
    );
    assert_eq!(cloud.list_runs().await.len(), 1);
    cloud.assert_no_call_refused();
    let answers = cloud.call_sensor_function(&json!({"schedule": "hourly"}), 1);
    assert!(
        answers[0].1
            && answers[0].0["errorMessage"]
                .as_str()
                .unwrap()
                .contains("`hourly`"),
        "{answers:?}"
    );
}
