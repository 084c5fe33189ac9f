//! What follows from a materialization: assets downstream under conditions, sensors of assets and runs,
//! freshness and ticks.

use std::time::Duration;

use precip::{
    core::{
        automation::AutomationCondition,
        freshness::{FreshnessPolicy, FreshnessState},
        mapping::PartitionMapping,
        partitions::PartitionContext,
        trigger::{DefaultStatus, MonitoredStatus, Require, SensorSource, SensorSpec},
    },
    engine::{
        freshness::read_freshness,
        machine::StartInput,
        run::{Clock, SystemClock, SystemRandomness, new_run_id},
        state::{PageRequest, Run, RunStatus, TickOutcome, TriggerStore},
        trigger::sensor_id,
    },
};
use precip_aws::Aws;
use precip_graphs::{
    declare,
    description::{Dep, Function, Keys, Node, Project},
};

use crate::deployment::Deployment;

const LOOKS: u32 = 240;
const EVERY: Duration = Duration::from_millis(500);

fn asset(key: &str, deps: &[&str], condition: Option<AutomationCondition>) -> Node {
    Node {
        key: key.to_owned(),
        keys: Keys::Static(["x", "y"].map(str::to_owned).into()),
        deps: deps
            .iter()
            .map(|asset| Dep {
                asset: (*asset).to_owned(),
                mapping: None,
            })
            .collect(),
        automation: condition,
        ..Node::default()
    }
}

fn sensor(name: &str, source: SensorSource, target: &str) -> SensorSpec {
    SensorSpec {
        name: name.parse().unwrap(),
        source,
        target: Some(target.parse().unwrap()),
        default_status: DefaultStatus::Running,
        description: None,
        has_function: false,
    }
}

/// `raw`, and eagerly `clean` and `mart`; `copy` by a sensor of `raw` and `clean`; `told` by a sensor of
/// the runs that make `mart`. Another sensor of `raw` panics whenever it is called.
fn project() -> Project {
    let eager = || Some(AutomationCondition::eager());
    let of_assets = |assets: &[&str]| SensorSource::Assets {
        assets: assets.iter().map(|key| key.parse().unwrap()).collect(),
        require: Require::All,
    };
    let mut mart = asset("mart", &["clean"], eager());
    let hour = Duration::from_secs(3_600);
    mart.freshness = Some(FreshnessPolicy::time_window(2 * hour, Some(hour)).unwrap());
    let ended = SensorSource::Runs {
        statuses: vec![MonitoredStatus::Succeeded],
        of: Some("key:mart".parse().unwrap()),
    };
    let told = Node {
        keys: Keys::None,
        ..asset("told", &[], None)
    };
    Project {
        assets: vec![
            asset("raw", &[], None),
            asset("clean", &["raw"], eager()),
            mart,
            asset("copy", &["raw", "clean"], None),
            told,
        ],
        sensors: vec![
            sensor("both", of_assets(&["raw", "clean"]), "key:copy"),
            sensor("poisoned", of_assets(&["raw"]), "key:raw"),
            sensor("tells", ended, "key:told"),
        ],
        functions: [
            ("poisoned".to_owned(), Function::Panics),
            ("tells".to_owned(), Function::Asks),
        ]
        .into(),
        ..Project::default()
    }
}

async fn start(cloud: &Deployment, partition: &str) {
    use precip::engine::deployment::Executions;
    let id = new_run_id(&SystemClock, &SystemRandomness);
    let input = StartInput {
        select: "key:raw".to_owned(),
        partitions: Some(partition.to_owned()),
        ..StartInput::default()
    };
    cloud
        .executions
        .start_execution(&id.to_string(), &input)
        .await
        .unwrap();
}

/// What runs ask for, sorted.
fn asked(runs: &[Run]) -> Vec<String> {
    let one = |run: &Run| {
        let partitions = run.request.partitions.as_deref().unwrap_or_default();
        format!("{} {partitions}", run.request.selection).replace('"', "")
    };
    let mut asked: Vec<String> = runs.iter().map(one).collect();
    asked.sort();
    asked
}

/// Waits until nothing is at work any more, with so many runs.
async fn quiet(cloud: &Deployment, count: usize) -> Vec<Run> {
    let runs = cloud.succeeded(count).await;
    // What would be requested once too often would come now.
    tokio::time::sleep(Duration::from_secs(6)).await;
    let after = cloud.succeeded(count).await;
    assert_eq!(asked(&after), asked(&runs));
    after
}

#[tokio::test(flavor = "multi_thread")]
async fn a_materialization_goes_down_the_graph_by_itself() {
    let cloud = Deployment::new("followed", project()).await;
    let answers = cloud.tick(1);
    assert!(answers.iter().all(|(_, failed)| !failed), "{answers:?}");
    start(&cloud, "x").await;
    let runs = quiet(&cloud, 4).await;
    let all = [
        // What is made from what is asked for is asked for with it.
        "key:clean or key:mart x",
        "key:copy x",
        "key:raw x",
        "key:told ",
    ];
    assert_eq!(asked(&runs), all);

    // The poisoned one harmed nothing, and says so.
    let ticks = cloud
        .state
        .list_ticks(&sensor_id("poisoned"), &PageRequest::first(10))
        .await;
    let ticks = ticks.unwrap().items;
    assert!(!ticks.is_empty());
    let panicked = |outcome: &TickOutcome| matches!(outcome, TickOutcome::Failed { message } if message.contains("told to panic"));
    assert!(
        ticks.iter().all(|tick| panicked(&tick.outcome)),
        "{ticks:?}"
    );

    // Data is fresh now, and there is a tick for when it is not, and for the one that failed.
    let definitions = declare(project()).unwrap();
    let context = PartitionContext::at(SystemClock.now());
    let known = read_freshness(&definitions, &cloud.state, &context)
        .await
        .unwrap();
    assert_eq!(known["mart"].state, FreshnessState::Pass);
    let listed = cloud.says(&["assets"]);
    assert!(listed.contains("PASS"), "{listed}");
    let group = format!("{}-ticks", cloud.stack);
    let schedules = Aws::from_env()
        .await
        .scheduler()
        .list_schedules()
        .group_name(&group);
    let schedules = schedules.send().await.unwrap();
    let names: Vec<_> = schedules
        .schedules()
        .iter()
        .filter_map(|one| one.name())
        .collect();
    assert!(
        !names.is_empty() && names.iter().all(|name| name.starts_with("tick-")),
        "{names:?}"
    );

    // Why it ran is on record, and it can be turned off.
    let why = cloud.says(&["automation", "history", "mart"]);
    assert!(why.contains("+ eager"), "{why}");
    cloud.says(&["automation", "off"]);
    start(&cloud, "y").await;
    // The sensor of assets waits for `clean`, which nobody makes now.
    let runs = quiet(&cloud, 5).await;
    assert_eq!(runs.len(), 5);
    let status = cloud.says(&["automation", "status"]);
    assert!(status.contains("off (by hand)"), "{status}");
    // Turned on again, it takes up what it did not see.
    cloud.says(&["automation", "on"]);
    cloud.tick(1);
    let runs = quiet(&cloud, 8).await;
    let mut expected: Vec<String> = all.iter().map(ToString::to_string).collect();
    let second = [
        "key:clean or key:mart y",
        "key:copy y",
        "key:raw y",
        "key:told ",
    ];
    expected.extend(second.map(str::to_owned));
    expected.sort();
    assert_eq!(asked(&runs), expected);
    cloud.kept_to_its_rights();
}

/// A window is made from itself and the next: a sensor's run stays queued until the next one exists, and
/// a condition requests nothing before that.
#[tokio::test(flavor = "multi_thread")]
async fn what_needs_a_window_that_is_to_come_waits() {
    let today = SystemClock.now().date_naive();
    let day = |ago: u64| (today - chrono::Days::new(ago)).to_string();
    let daily = |key: &str, shifted: bool, condition: Option<AutomationCondition>| {
        let mut node = asset(key, if shifted { &["raw"] } else { &[] }, condition);
        node.keys = Keys::Daily(day(3), "2199-01-01".to_owned());
        for dep in &mut node.deps {
            dep.mapping = Some(PartitionMapping::TimeWindow {
                start_offset: 0,
                end_offset: 1,
                allow_nonexistent_upstream_partitions: false,
            });
        }
        node
    };
    let of_raw = SensorSource::Assets {
        assets: vec!["raw".parse().unwrap()],
        require: Require::All,
    };
    let waits = Project {
        assets: vec![
            daily("raw", false, None),
            daily("trend", true, None),
            daily("mean", true, Some(AutomationCondition::eager())),
        ],
        sensors: vec![sensor("watch", of_raw, "key:trend")],
        ..Project::default()
    };
    let cloud = Deployment::new("patient", waits).await;
    cloud.tick(1);
    start(&cloud, &day(1)).await;
    let queued = |run: &&Run| run.status == RunStatus::Queued;
    for _ in 0..LOOKS {
        let runs = cloud.runs().await;
        if runs.iter().any(|run| run.status == RunStatus::Succeeded)
            && runs.iter().any(|run| queued(&run))
        {
            break;
        }
        tokio::time::sleep(EVERY).await;
    }
    cloud.tick(2);
    tokio::time::sleep(Duration::from_secs(6)).await;
    let runs = cloud.runs().await;
    let raw = format!("key:raw {}", day(1));
    assert_eq!(asked(&runs), [raw, format!("key:trend {}", day(1))]);
    let waiting: Vec<Run> = runs.iter().filter(queued).cloned().collect();
    assert_eq!(asked(&waiting), [format!("key:trend {}", day(1))]);
    cloud.kept_to_its_rights();
}

/// The function that evaluates what changed is killed at any moment, again and again.
#[tokio::test(flavor = "multi_thread")]
async fn a_reactor_that_is_killed_requests_each_run_once() {
    let killed = Project {
        reactor_kills: 2,
        functions: [("tells".to_owned(), Function::Asks)].into(),
        sensors: project()
            .sensors
            .into_iter()
            .filter(|sensor| sensor.name.as_str() != "poisoned")
            .collect(),
        ..project()
    };
    let cloud = Deployment::new("restless", killed).await;
    while cloud.tick(1).iter().any(|(_, failed)| *failed) {}
    start(&cloud, "x").await;
    start(&cloud, "y").await;
    let want: Vec<&str> = vec!["clean", "copy", "mart", "raw"];
    for _ in 0..LOOKS {
        let runs = cloud.runs().await;
        let done = runs.iter().all(|run| run.status == RunStatus::Succeeded);
        let made = |asset: &str| {
            let of = |run: &&Run| run.request.selection.contains(asset);
            let partitions = runs
                .iter()
                .filter(of)
                .filter_map(|run| run.request.partitions.clone());
            let partitions: Vec<String> = partitions.collect();
            partitions
                .join(",")
                .split(',')
                .filter(|one| !one.is_empty())
                .count()
        };
        if done && want.iter().all(|asset| made(asset) == 2) {
            break;
        }
        tokio::time::sleep(EVERY).await;
    }
    tokio::time::sleep(Duration::from_secs(5)).await;
    let runs = cloud.runs().await;
    cloud.were_started(&runs).await;
    for asset in want {
        let of = |run: &&Run| run.request.selection.contains(asset);
        let partitions = runs
            .iter()
            .filter(of)
            .filter_map(|run| run.request.partitions.clone());
        let mut partitions: Vec<String> = partitions
            .flat_map(|some| some.split(',').map(str::to_owned).collect::<Vec<_>>())
            .collect();
        partitions.sort();
        assert_eq!(partitions, ["x", "y"], "{asset}: {:?}", asked(&runs));
    }
}
