//! Reactions: affected evaluations, isolated failures, changes delivered twice and by processes that
//! die, and ticks.

mod faults;
mod ticks;
mod waiting;

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use precip_core::{
    automation::AutomationCondition,
    freshness::FreshnessPolicy,
    partitions::{DynamicPartitions, PartitionsDefinition},
    spec::{AssetSpec, DepSpec, OpSpec},
    trigger::{DefaultStatus, MonitoredStatus, Require, SensorSource, SensorSpec},
};

use super::{ChangeSet, ReactPorts, TickScheduler, affected_by, react};
use crate::{
    asset::{AssetError, FnBody, Resources},
    definitions::{Declaration, Definitions, OpDefinition},
    freshness::{FreshnessChange, FreshnessTopic},
    run_id::RunId,
    state::{RunStatus, TickOutcome, TriggerStore},
    trigger::{
        Decision, RunRequest, SensorContext, SensorDefinition, SensorFn, SensorResult,
        TriggerFuture, sensor_id,
        tests::world::{World, daily_partitions, no_outputs, utc},
    },
};

/// Records the ticks and the changes of freshness that it receives.
#[derive(Debug, Default)]
struct Recorder {
    ticks: Mutex<Vec<chrono::DateTime<chrono::Utc>>>,
    changes: Mutex<Vec<FreshnessChange>>,
}

#[async_trait]
impl TickScheduler for Recorder {
    async fn call_at(&self, due: chrono::DateTime<chrono::Utc>) -> Result<(), String> {
        self.ticks.lock().unwrap().push(due);
        Ok(())
    }
}

#[async_trait]
impl FreshnessTopic for Recorder {
    async fn raise_changes(&self, changes: &[FreshnessChange]) -> Result<(), String> {
        self.changes.lock().unwrap().extend(changes.iter().cloned());
        Ok(())
    }
}

fn declare_sensor(
    name: &str,
    source: SensorSource,
    target: &str,
    function: Option<SensorFn>,
) -> Declaration {
    let sensor = SensorDefinition::new(SensorSpec {
        name: name.parse().unwrap(),
        source,
        target: Some(target.parse().unwrap()),
        default_status: DefaultStatus::Running,
        description: None,
        has_function: false,
    });
    Declaration::Sensor(Box::new(match function {
        Some(function) => sensor.with_function(function),
        None => sensor,
    }))
}

fn assets_source(assets: &[&str]) -> SensorSource {
    SensorSource::Assets {
        assets: assets.iter().map(|key| key.parse().unwrap()).collect(),
        require: Require::All,
    }
}

fn panicking_function(_: SensorContext, _: &Resources) -> TriggerFuture<'_> {
    Box::pin(async { std::panic::resume_unwind(Box::new("poisoned")) })
}

fn after_a_run(_: SensorContext, _: &Resources) -> TriggerFuture<'_> {
    Box::pin(async { Ok(SensorResult::requests([RunRequest::new()])) })
}

fn failing_function(_: SensorContext, _: &Resources) -> TriggerFuture<'_> {
    Box::pin(async { Err(AssetError::retryable("no answer")) })
}

/// Daily `orders` and `clicks`; `joined` from both by a sensor; an eager `mart`; `kept` with a freshness
/// policy; `files` of a dynamic set under a condition.
fn project_definitions() -> Definitions {
    let asset = |key: &str, deps: &[&str], condition: Option<AutomationCondition>| AssetSpec {
        partitions: Some(daily_partitions()),
        deps: deps
            .iter()
            .map(|dep| DepSpec::new(dep.parse().unwrap()))
            .collect(),
        automation: condition,
        ..AssetSpec::new(key.parse().unwrap())
    };
    let hour = std::time::Duration::from_secs(3_600);
    let mut kept = asset("kept", &[], None);
    kept.freshness = Some(FreshnessPolicy::time_window(2 * hour, Some(hour)).unwrap());
    let mut files = asset("files", &[], Some(AutomationCondition::on_missing()));
    files.partitions = Some(Arc::new(PartitionsDefinition::from(
        DynamicPartitions::new("files"),
    )));
    let report = AssetSpec::new("report".parse().unwrap());
    let mart = asset("mart", &["orders"], Some(AutomationCondition::eager()));
    let assets = [
        asset("orders", &[], None),
        asset("clicks", &[], None),
        asset("joined", &["orders", "clicks"], None),
        mart,
        kept,
        files,
        report,
    ];
    let runs = |statuses: [MonitoredStatus; 1]| SensorSource::Runs {
        statuses: statuses.to_vec(),
        of: None,
    };
    assets
        .into_iter()
        .fold(Definitions::builder(), |builder, asset| {
            builder.op(OpDefinition::new(OpSpec::single(asset), FnBody(no_outputs)))
        })
        .declare([
            declare_sensor("both", assets_source(&["orders", "clicks"]), "joined", None),
            declare_sensor(
                "poisoned",
                assets_source(&["orders"]),
                "orders",
                Some(panicking_function),
            ),
            declare_sensor(
                "cleanup",
                runs([MonitoredStatus::Failed]),
                "report",
                Some(after_a_run),
            ),
            declare_sensor(
                "unsure",
                runs([MonitoredStatus::Failed]),
                "report",
                Some(failing_function),
            ),
        ])
        .build()
        .unwrap()
}

struct Scene {
    world: World,
    recorder: Arc<Recorder>,
}

impl Scene {
    fn new() -> Self {
        Self {
            world: World::with_definitions(project_definitions(), 7),
            recorder: Arc::default(),
        }
    }

    fn react_ports(&self) -> ReactPorts {
        ReactPorts {
            triggers: self.world.ports.clone(),
            resources: Arc::new(Arc::new(Resources::new())),
            ticks: Arc::clone(&self.recorder) as Arc<dyn TickScheduler>,
            topic: Arc::clone(&self.recorder) as Arc<dyn FreshnessTopic>,
        }
    }

    async fn react_to(&self, changes: &ChangeSet) -> super::Reaction {
        react(&self.react_ports(), changes).await
    }
}

fn published_changes(assets: &[&str]) -> ChangeSet {
    ChangeSet {
        published: assets.iter().map(|key| key.parse().unwrap()).collect(),
        ..ChangeSet::default()
    }
}

#[test]
fn a_change_affects_the_evaluations_that_depend_on_it() {
    let definitions = project_definitions();
    // The names of the affected evaluations.
    let names = |changes: &ChangeSet| {
        let affected = affected_by(&definitions, changes);
        let sensors = affected.asset_sensors.iter().chain(&affected.run_sensors);
        let mut names: Vec<String> = sensors.map(|sensor| sensor.name().to_string()).collect();
        names.extend(affected.automation.then(|| "automation".to_owned()));
        names.extend(affected.freshness.iter().map(ToString::to_string));
        names.join(" ")
    };
    assert_eq!(
        names(&published_changes(&["orders"])),
        "both poisoned automation"
    );
    assert_eq!(names(&published_changes(&["clicks"])), "both");
    assert_eq!(names(&published_changes(&["kept"])), "kept");
    assert_eq!(names(&published_changes(&["joined", "report"])), "");
    let changed = ChangeSet {
        changed: ["orders".parse().unwrap(), "clicks".parse().unwrap()].into(),
        ..ChangeSet::default()
    };
    assert_eq!(names(&changed), "automation");
    let keys = |set: &str| ChangeSet {
        dynamic_sets: [set.to_owned()].into(),
        ..ChangeSet::default()
    };
    assert_eq!(names(&keys("files")), "automation");
    assert_eq!(names(&keys("others")), "");
    let ended = ChangeSet {
        ended: [RunId::new(ulid::Ulid::nil())].into(),
        ..ChangeSet::default()
    };
    assert_eq!(names(&ended), "cleanup unsure automation");
    assert_eq!(
        names(&ChangeSet::on_tick()),
        "both poisoned automation kept"
    );
    assert_eq!(names(&ChangeSet::default()), "");
}

#[tokio::test]
async fn a_failing_sensor_affects_no_other_and_is_retried_by_a_tick() {
    let scene = Scene::new();
    let world = &scene.world;
    scene.react_to(&ChangeSet::on_tick()).await;
    for asset in ["orders", "clicks"] {
        world
            .materialize_at(asset, "2024-11-30", "2024-12-01T11:00:00Z")
            .await;
    }
    let both = published_changes(&["orders", "clicks"]);
    let reaction = scene.react_to(&both).await;
    assert_eq!(reaction.failed, []);
    let requested = ["joined 2024-11-30", "key:\"mart\" 2024-11-30"];
    assert_eq!(world.requested_lines().await, requested);
    let (name, decision) = &reaction.sensors[1];
    assert_eq!(name, "poisoned");
    let Decision::Failed { message } = decision else {
        panic!("{decision:?}")
    };
    assert!(message.contains("poisoned"), "{message}");
    let ticks = world
        .memory
        .trigger_state(&sensor_id("poisoned"))
        .await
        .unwrap();
    let last = ticks.last_tick.unwrap();
    assert!(
        matches!(last.outcome, TickOutcome::Failed { .. }),
        "{last:?}"
    );
    // It is retried after a minute, and then after longer and longer waits.
    let due = |at| Some(super::tests::utc(at));
    assert_eq!(reaction.next, due("2024-12-01T12:01:00Z"));
    assert_eq!(
        scene.recorder.ticks.lock().unwrap().last().copied(),
        reaction.next
    );
    let early = scene.react_to(&ChangeSet::on_tick()).await;
    assert_eq!(early.next, due("2024-12-01T12:01:00Z"));
    assert!(matches!(early.sensors[1].1, Decision::Waits { .. }));
    for (now, next) in [
        ("2024-12-01T12:01:00Z", "2024-12-01T12:02:00Z"),
        ("2024-12-01T12:10:00Z", "2024-12-01T12:20:00Z"),
        ("2024-12-01T14:00:00Z", "2024-12-01T16:00:00Z"),
        ("2024-12-01T23:00:00Z", "2024-12-02T00:00:00Z"),
    ] {
        world.clock.set_now(now);
        let again = scene.react_to(&ChangeSet::on_tick()).await;
        assert_eq!(again.next, due(next), "at {now}");
    }
    assert_eq!(world.requested_lines().await, requested);
}

#[tokio::test]
async fn the_failure_of_a_sensor_of_runs_is_recorded_and_the_run_counts_as_handled() {
    let scene = Scene::new();
    let world = &scene.world;
    let run = crate::state::NewRun {
        id: world.ports.run_id(),
        key: None,
        request: crate::state::RequestedWork::default(),
        plan: None,
        created_at: utc("2024-12-01T11:00:00Z"),
    };
    let id = run.id;
    let state = &world.ports.state;
    state.create_run(run).await.unwrap();
    let failed = crate::state::RunChange::new(
        [RunStatus::Queued],
        RunStatus::Failed,
        utc("2024-12-01T11:30:00Z"),
    );
    state.change_run(id, failed).await.unwrap();
    let ended = ChangeSet {
        ended: [id].into(),
        ..ChangeSet::default()
    };
    let first = scene.react_to(&ended).await;
    assert!(
        matches!(first.sensors[0].1, Decision::Requested { .. }),
        "{first:?}"
    );
    assert!(
        matches!(first.sensors[1].1, Decision::Failed { .. }),
        "{first:?}"
    );
    // The same run again is a duplicate, for the sensor that failed too.
    let again = scene.react_to(&ended).await;
    assert!(
        again
            .sensors
            .iter()
            .all(|(_, decision)| *decision == Decision::Duplicate)
    );
    assert_eq!(world.requested_lines().await.len(), 2);
}
