//! Effects of a materialization: automation conditions, sensors of assets and runs, freshness, and ticks.

use std::time::Duration;

use precip::{
    core::{
        automation::AutomationCondition,
        freshness::{FreshnessPolicy, FreshnessState},
        mapping::PartitionMapping,
        partitions::PartitionContext,
        trigger::{
            CatchUp, DefaultStatus, MonitoredStatus, Require, ScheduleSpec, ScheduleTiming,
            SensorSource, SensorSpec,
        },
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
    declare_project,
    description::{Dep, Function, Keys, Node, Project},
};
use serde_json::json;

use crate::deployment::TriggerDeployment;

/// The most polls for something that has to happen, and the interval between them.
const POLLS: u32 = 240;
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// Returns an asset with two partitions.
fn conditional_asset(key: &str, deps: &[&str], condition: Option<AutomationCondition>) -> Node {
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

/// Returns a sensor that is on.
fn running_sensor(name: &str, source: SensorSource, target: &str) -> SensorSpec {
    SensorSpec {
        name: name.parse().unwrap(),
        source,
        target: Some(target.parse().unwrap()),
        default_status: DefaultStatus::Running,
        description: None,
        has_function: false,
    }
}

/// Returns the project: `raw`; `clean` and `mart`, which are eager; `copy`, by a sensor of `raw` and
/// `clean`; `notice`, by a sensor of runs with `mart`; and a sensor of `raw` that always panics.
fn chain_project() -> Project {
    let eager = || Some(AutomationCondition::eager());
    let of_assets = |assets: &[&str]| SensorSource::Assets {
        assets: assets.iter().map(|key| key.parse().unwrap()).collect(),
        require: Require::All,
    };
    let mut mart = conditional_asset("mart", &["clean"], eager());
    let hour = Duration::from_secs(3_600);
    mart.freshness = Some(FreshnessPolicy::time_window(2 * hour, Some(hour)).unwrap());
    let ended = SensorSource::Runs {
        statuses: vec![MonitoredStatus::Succeeded],
        of: Some("key:mart".parse().unwrap()),
    };
    let notice = Node {
        keys: Keys::None,
        ..conditional_asset("notice", &[], None)
    };
    Project {
        assets: vec![
            conditional_asset("raw", &[], None),
            conditional_asset("clean", &["raw"], eager()),
            mart,
            conditional_asset("copy", &["raw", "clean"], None),
            notice,
        ],
        sensors: vec![
            running_sensor("both", of_assets(&["raw", "clean"]), "key:copy"),
            running_sensor("poisoned", of_assets(&["raw"]), "key:raw"),
            running_sensor("notifies", ended, "key:notice"),
        ],
        functions: [
            ("poisoned".to_owned(), Function::Panics),
            ("notifies".to_owned(), Function::RequestsRun),
        ]
        .into(),
        ..Project::default()
    }
}

/// Starts a run of `raw`.
async fn start_raw(cloud: &TriggerDeployment, partition: &str) {
    let id = new_run_id(&SystemClock, &SystemRandomness);
    let input = StartInput {
        select: "key:raw".to_owned(),
        partitions: Some(partition.to_owned()),
        ..StartInput::default()
    };
    cloud.start_run(id, &input).await;
}

/// Returns the requests of runs, sorted.
fn sorted_requests(runs: &[Run]) -> Vec<String> {
    let one = |run: &Run| {
        let partitions = run.request.partitions.as_deref().unwrap_or_default();
        format!("{} {partitions}", run.request.selection).replace('"', "")
    };
    let mut requests: Vec<String> = runs.iter().map(one).collect();
    requests.sort();
    requests
}

/// Waits for so many runs, and checks that no other follows.
async fn await_quiet(cloud: &TriggerDeployment, count: usize) -> Vec<Run> {
    let runs = cloud.await_runs(count).await;
    // A repeated request would arrive within this time.
    tokio::time::sleep(Duration::from_secs(6)).await;
    let after = cloud.await_runs(count).await;
    assert_eq!(sorted_requests(&after), sorted_requests(&runs));
    after
}

#[tokio::test(flavor = "multi_thread")]
async fn a_materialization_triggers_its_downstream_assets() {
    let cloud = TriggerDeployment::deploy("followed", chain_project()).await;
    let answers = cloud.call_reactor(1);
    assert!(answers.iter().all(|(_, failed)| !failed), "{answers:?}");
    start_raw(&cloud, "x").await;
    let runs = await_quiet(&cloud, 4).await;
    let all = [
        // An asset is requested along with its requested upstream asset.
        "key:clean or key:mart x",
        "key:copy x",
        "key:notice ",
        "key:raw x",
    ];
    assert_eq!(sorted_requests(&runs), all);

    // The sensor that panics does not disturb the others, and its ticks record the panic.
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

    // The data is fresh; ticks are scheduled for its expiry, and for a retry of the failed sensor.
    let definitions = declare_project(chain_project()).unwrap();
    let context = PartitionContext::at(SystemClock.now());
    let known = read_freshness(&definitions, &cloud.state, &context)
        .await
        .unwrap();
    assert_eq!(known["mart"].state, FreshnessState::Pass);
    let listed = cloud.run_command(&["assets"]);
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

    // The reason is recorded. Then automation is turned off.
    let why = cloud.run_command(&["automation", "history", "mart"]);
    assert!(why.contains("+ eager"), "{why}");
    cloud.run_command(&["automation", "off"]);
    start_raw(&cloud, "y").await;
    // The sensor of assets waits for `clean`, which is not requested now.
    let runs = await_quiet(&cloud, 5).await;
    assert_eq!(runs.len(), 5);
    let status = cloud.run_command(&["automation", "status"]);
    assert!(status.contains("off (by hand)"), "{status}");
    // Turned on again, it handles the changes since.
    cloud.run_command(&["automation", "on"]);
    cloud.call_reactor(1);
    let runs = await_quiet(&cloud, 8).await;
    let mut expected: Vec<String> = all.iter().map(ToString::to_string).collect();
    let second = [
        "key:clean or key:mart y",
        "key:copy y",
        "key:raw y",
        "key:notice ",
    ];
    expected.extend(second.map(str::to_owned));
    expected.sort();
    assert_eq!(sorted_requests(&runs), expected);
    cloud.assert_no_call_refused();
}

/// Returns the key of a day.
fn day(ago: u64) -> String {
    let today = SystemClock.now().date_naive();
    (today - chrono::Days::new(ago)).to_string()
}

/// Returns an asset of days, which is made from a day of `raw` and the next if it is `shifted`.
fn daily(key: &str, shifted: bool, condition: Option<AutomationCondition>) -> Node {
    let mut node = conditional_asset(key, if shifted { &["raw"] } else { &[] }, condition);
    node.keys = Keys::Daily(day(3), "2199-01-01".to_owned());
    for dep in &mut node.deps {
        dep.mapping = Some(PartitionMapping::TimeWindow {
            start_offset: 0,
            end_offset: 1,
            allow_nonexistent_upstream_partitions: false,
        });
    }
    node
}

/// The run of a schedule stays queued until the next window exists: the function `sensor` records it, and
/// the reactor arranges its start.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_of_a_schedule_waits_for_a_window_that_is_to_come() {
    let nightly = ScheduleSpec {
        name: "nightly".parse().unwrap(),
        timing: ScheduleTiming::Cron {
            cron: "0 0 * * *".parse().unwrap(),
            timezone: "UTC".parse().unwrap(),
        },
        target: Some("key:trend".parse().unwrap()),
        catch_up: CatchUp::Latest,
        default_status: DefaultStatus::Running,
        description: None,
        has_function: false,
    };
    let waits = Project {
        assets: vec![daily("raw", false, None), daily("trend", true, None)],
        schedules: vec![nightly],
        ..Project::default()
    };
    let cloud = TriggerDeployment::deploy("nights", waits).await;
    let tick = json!({"schedule": "nightly", "scheduled_for": format!("{}T00:00:00Z", day(0))});
    let answers = cloud.call_sensor_function(&tick, 2);
    assert!(answers.iter().all(|(_, failed)| !failed), "{answers:?}");
    cloud.call_reactor(2);
    tokio::time::sleep(Duration::from_secs(6)).await;
    let runs = cloud.list_runs().await;
    assert_eq!(sorted_requests(&runs), [format!("key:trend {}", day(1))]);
    assert_eq!(runs[0].status, RunStatus::Queued);
    cloud.assert_no_call_refused();
}

/// A window is made from itself and the next: a sensor's run stays queued until the next one exists, and
/// a condition requests nothing before that.
#[tokio::test(flavor = "multi_thread")]
async fn what_needs_a_window_that_is_to_come_waits() {
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
        sensors: vec![running_sensor("watch", of_raw, "key:trend")],
        ..Project::default()
    };
    let cloud = TriggerDeployment::deploy("patient", waits).await;
    cloud.call_reactor(1);
    start_raw(&cloud, &day(1)).await;
    let queued = |run: &&Run| run.status == RunStatus::Queued;
    for _ in 0..POLLS {
        let runs = cloud.list_runs().await;
        if runs.iter().any(|run| run.status == RunStatus::Succeeded)
            && runs.iter().any(|run| queued(&run))
        {
            break;
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
    cloud.call_reactor(2);
    tokio::time::sleep(Duration::from_secs(6)).await;
    let runs = cloud.list_runs().await;
    let raw = format!("key:raw {}", day(1));
    assert_eq!(
        sorted_requests(&runs),
        [raw, format!("key:trend {}", day(1))]
    );
    let waiting: Vec<Run> = runs.iter().filter(queued).cloned().collect();
    assert_eq!(sorted_requests(&waiting), [format!("key:trend {}", day(1))]);
    cloud.assert_no_call_refused();
}

/// Processes of the reactor abort at any moment.
#[tokio::test(flavor = "multi_thread")]
async fn an_aborting_reactor_requests_each_run_once() {
    let killed = Project {
        reactor_kills: 2,
        functions: [("notifies".to_owned(), Function::RequestsRun)].into(),
        sensors: chain_project()
            .sensors
            .into_iter()
            .filter(|sensor| sensor.name.as_str() != "poisoned")
            .collect(),
        ..chain_project()
    };
    let cloud = TriggerDeployment::deploy("restless", killed).await;
    while cloud.call_reactor(1).iter().any(|(_, failed)| *failed) {}
    start_raw(&cloud, "x").await;
    start_raw(&cloud, "y").await;
    let assets = ["clean", "copy", "mart", "raw"];
    for _ in 0..POLLS {
        let runs = cloud.list_runs().await;
        let done = runs.iter().all(|run| run.status == RunStatus::Succeeded);
        let count_requested = |asset: &str| {
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
        if done && assets.iter().all(|asset| count_requested(asset) == 2) {
            break;
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
    tokio::time::sleep(Duration::from_secs(5)).await;
    let runs = cloud.list_runs().await;
    cloud.assert_started(&runs).await;
    for asset in assets {
        let of = |run: &&Run| run.request.selection.contains(asset);
        let partitions = runs
            .iter()
            .filter(of)
            .filter_map(|run| run.request.partitions.clone());
        let mut partitions: Vec<String> = partitions
            .flat_map(|some| some.split(',').map(str::to_owned).collect::<Vec<_>>())
            .collect();
        partitions.sort();
        assert_eq!(
            partitions,
            ["x", "y"],
            "{asset}: {:?}",
            sorted_requests(&runs)
        );
    }
}
