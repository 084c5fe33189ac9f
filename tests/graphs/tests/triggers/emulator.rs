//! Each from the event to the record.

mod reactor;

use precip::{
    core::trigger::DefaultStatus,
    engine::{
        run::{Clock, SystemClock},
        state::{MaterializationStore, PartitionRef, ReadConsistency, RunOrigin, RunStatus},
    },
};
use precip_graphs::description::Project;
use serde_json::json;

use crate::{
    deployment::{Deployment, landing, unique},
    project::{DAYS, days, project, sensor},
};

/// How many files come at once, unless `PRECIP_TEST_FILES` says it, and the share of them that is told of
/// twice.
const FILES: usize = 1_000;
const TWICE: &str = "0.2";
/// How many messages the function is called with at a time: fewer than on AWS, so that more of its
/// processes are killed.
const BATCH: &str = "100";

fn key(sensor: &str, day: &str) -> String {
    format!("landing/{sensor}/{day}.csv")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_made_into_all_that_follows_from_it() {
    let cloud = Deployment::new("landed", project()).await;
    let clicks = key("clicks", "2024-01-05");
    landing(&["put", cloud.bucket(), &key("orders", "2024-01-05"), &clicks]);
    let runs = cloud.succeeded(1).await;
    // The sensor of clicks is off: it starts nothing.
    cloud.holds(&cloud.queue("clicks"), 0).await;
    let runs_now = cloud.runs().await;
    assert_eq!((runs.len(), runs_now.len()), (1, 1), "{runs_now:?}");
    assert!(matches!(runs[0].request.origin, RunOrigin::Trigger(_)));
    assert_eq!(runs[0].request.partitions.as_deref(), Some("2024-01-05"));
    let place = days(DAYS)
        .iter()
        .position(|day| day == "2024-01-05")
        .unwrap();
    for asset in ["orders", "joined", "report"] {
        let ordinal = u64::try_from(place).unwrap();
        let target = PartitionRef::new(asset.parse().unwrap(), "2024-01-05", ordinal);
        let latest = cloud
            .state
            .latest_materialization(&target, ReadConsistency::Strong)
            .await;
        let latest = latest.unwrap().expect(asset);
        assert!(latest.is_published_by(runs[0].id), "{latest:?}");
    }

    // A person turns it on, and the file comes again.
    let listed = cloud.says(&["sensors"]);
    assert!(
        listed.contains("orders") && listed.contains("off"),
        "{listed}"
    );
    cloud.says(&["sensor", "clicks", "start"]);
    landing(&["put", cloud.bucket(), &clicks]);
    let runs = cloud.succeeded(2).await;
    assert_eq!(runs[1].request.selection, "key:\"clicks\"");
    let ticks = cloud.says(&["ticks", "clicks"]);
    assert!(ticks.contains(&runs[1].id.to_string()), "{ticks}");
    cloud.says(&["sensor", "clicks", "stop"]);
    landing(&["put", cloud.bucket(), &key("clicks", "2024-01-06")]);
    cloud.holds(&cloud.queue("clicks"), 0).await;
    assert_eq!(cloud.runs().await.len(), 2);
    // It forgets what it has handled: a sweep looks at every file again, and what was made stays made.
    cloud.says(&["sensor", "orders", "reset-cursor"]);
    let sweep = json!({"sweep": "orders", "grace_seconds": 0});
    assert_eq!(cloud.call(&sweep, 1), [(json!({"runs": []}), false)]);
    cloud.kept_to_its_rights();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poisoned_message_harms_no_other() {
    let cloud = Deployment::new("poisoned", project()).await;
    let queue = cloud.queue("orders");
    landing(&["say", &queue, "this is no event"]);
    let keys: Vec<String> = days(20).iter().map(|day| key("orders", day)).collect();
    let mut announce = vec!["announce", &queue, cloud.bucket(), "1", "0"];
    announce.extend(keys.iter().map(String::as_str));
    landing(&announce);
    let unknown = key("orders", "of-no-day");
    landing(&["announce", &queue, cloud.bucket(), "2", "0", &unknown]);
    cloud.holds(&queue, 1).await;
    let runs = cloud.succeeded(1).await;
    let asked = cloud.partitions(&runs);
    assert_eq!((asked.len(), unique(&asked).len()), (20, 20));
    // What can never be understood is put aside in the end, where an alarm says so.
    cloud.holds(&queue, 0).await;
    let aside = landing(&["physical", &cloud.stack, "SensorDeadLetters"]);
    let aside = aside.rsplit('/').next().unwrap().to_owned();
    cloud.holds(&aside, 1).await;
}

/// Files that come at once, told of in any order and some of them twice, to functions that are killed
/// at any moment: each partition is requested once, and every run is started.
#[tokio::test(flavor = "multi_thread")]
async fn many_files_become_few_runs_whatever_happens() {
    let files = std::env::var("PRECIP_TEST_FILES");
    let files = files.map_or(FILES, |files| files.parse().unwrap());
    let killed = Project {
        sensor_kills: 3,
        // What follows from the files takes its time, and is of no interest here.
        sensors: vec![sensor("orders", "key:orders", DefaultStatus::Running)],
        ..project()
    };
    let cloud = Deployment::new("many", killed).await;
    let queue = cloud.queue("orders");
    let days = days(files);
    let keys: Vec<String> = days.iter().map(|day| key("orders", day)).collect();
    let mut announce = vec!["announce", &queue, cloud.bucket(), "3", TWICE];
    announce.extend(keys.iter().map(String::as_str));
    landing(&["unplug", &queue]);
    landing(&announce);
    landing(&["drain", &queue, &cloud.outputs["SensorFunctionName"], BATCH]);
    let runs = cloud.runs().await;
    let asked = cloud.partitions(&runs);
    assert_eq!(asked.len(), files, "each is requested once");
    assert_eq!(unique(&asked), days.iter().collect(), "and none is lost");
    cloud.were_started(&runs).await;
    assert!(runs.len() <= files / 40, "{} runs", runs.len());
    assert!(
        runs.iter().all(|run| run.status != RunStatus::Failed),
        "{runs:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_finds_what_no_event_told_of() {
    let cloud = Deployment::new("swept", project()).await;
    let rule = landing(&["physical", &cloud.stack, "SensorOrdersRule"]);
    landing(&["mute", rule.rsplit('/').next().unwrap()]);
    let days = days(40);
    let keys: Vec<String> = days.iter().map(|day| key("orders", day)).collect();
    let mut put = vec!["put", cloud.bucket()];
    put.extend(keys.iter().map(String::as_str));
    landing(&put);
    cloud.holds(&cloud.queue("orders"), 0).await;
    assert!(cloud.runs().await.is_empty());
    // Files that are young are left to their events.
    let answers = cloud.call(&json!({"sweep": "*"}), 1);
    assert_eq!(answers, [(json!({"runs": []}), false)]);
    // Swept twice at once, and once more.
    let sweep = json!({"sweep": "*", "grace_seconds": 0});
    let mut answers = cloud.call(&sweep, 2);
    answers.extend(cloud.call(&sweep, 1));
    assert!(answers.iter().all(|(_, failed)| !failed), "{answers:?}");
    let runs = cloud.succeeded(1).await;
    let asked = cloud.partitions(&runs);
    assert_eq!((asked.len(), unique(&asked)), (40, days.iter().collect()));
    cloud.kept_to_its_rights();
    let said = cloud.call(&json!({"sweep": "nobody"}), 1);
    assert!(
        said[0].1
            && said[0].0["errorMessage"]
                .as_str()
                .unwrap()
                .contains("`nobody`"),
        "{said:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tick_creates_its_run_once() {
    let cloud = Deployment::new("ticked", project()).await;
    let today = SystemClock.now().date_naive();
    let midnight = today.and_time(chrono::NaiveTime::MIN).and_utc();
    let tick = json!({
        "schedule": "nightly",
        "scheduled_for": midnight,
        "execution": "8f3a1c52-6d5b-4d8e-9d4b-1f2e3d4c5b6a",
        "attempt": "1",
    });
    // As often as it likes, at once and later, and a look at what is due besides.
    let mut answers = cloud.call(&tick, 5);
    answers.extend(cloud.call(&tick, 1));
    answers.extend(cloud.call(&json!({"schedule": "nightly"}), 1));
    assert!(answers.iter().all(|(_, failed)| !failed), "{answers:?}");
    let runs = cloud.succeeded(1).await;
    assert_eq!(runs.len(), 1, "{runs:?}");
    assert_eq!(runs[0].request.selection, "key:\"summary\"");
    let listed = cloud.says(&["schedules"]);
    assert!(listed.contains("nightly"), "{listed}");
    // One that is off does nothing when it ticks.
    cloud.says(&["schedule", "nightly", "stop"]);
    let tomorrow = midnight + chrono::TimeDelta::days(1);
    let later = json!({"schedule": "nightly", "scheduled_for": tomorrow});
    assert_eq!(cloud.call(&later, 1), [(json!({"runs": []}), false)]);
    assert_eq!(cloud.runs().await.len(), 1);
    cloud.kept_to_its_rights();
    let said = cloud.call(&json!({"schedule": "hourly"}), 1);
    assert!(
        said[0].1
            && said[0].0["errorMessage"]
                .as_str()
                .unwrap()
                .contains("`hourly`"),
        "{said:?}"
    );
}
