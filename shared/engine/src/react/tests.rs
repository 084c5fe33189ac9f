//! Reactions: what concerns what, failures that stay alone, changes told of twice and by processes that
//! die, and ticks.

mod faults;
mod ticks;

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use precip_core::{
    automation::AutomationCondition,
    freshness::FreshnessPolicy,
    partitions::{DynamicPartitions, PartitionsDefinition},
    spec::{AssetSpec, DepSpec, OpSpec},
    trigger::{DefaultStatus, MonitoredStatus, Require, SensorSource, SensorSpec},
};

use super::{Happened, ReactPorts, TickScheduler, concerned, react};
use crate::{
    asset::{AssetError, FnBody, Resources},
    definitions::{Declaration, Definitions, OpDefinition},
    freshness::{FreshnessChange, FreshnessTopic},
    run_id::RunId,
    state::{RunStatus, TickOutcome, TriggerStore},
    trigger::{
        Decision, RunRequest, SensorContext, SensorDefinition, SensorFn, SensorResult,
        TriggerFuture, sensor_id,
        tests::world::{World, at, days, nothing},
    },
};

/// Remembers what it was asked.
#[derive(Debug, Default)]
struct Heard {
    ticks: Mutex<Vec<chrono::DateTime<chrono::Utc>>>,
    changes: Mutex<Vec<FreshnessChange>>,
}

#[async_trait]
impl TickScheduler for Heard {
    async fn call_at(&self, due: chrono::DateTime<chrono::Utc>) -> Result<(), String> {
        self.ticks.lock().unwrap().push(due);
        Ok(())
    }
}

#[async_trait]
impl FreshnessTopic for Heard {
    async fn raise(&self, changes: &[FreshnessChange]) -> Result<(), String> {
        self.changes.lock().unwrap().extend(changes.iter().cloned());
        Ok(())
    }
}

fn sensor(
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

fn of_assets(assets: &[&str]) -> SensorSource {
    SensorSource::Assets {
        assets: assets.iter().map(|key| key.parse().unwrap()).collect(),
        require: Require::All,
    }
}

fn panics(_: SensorContext, _: &Resources) -> TriggerFuture<'_> {
    Box::pin(async { std::panic::resume_unwind(Box::new("poisoned")) })
}

fn after_a_run(_: SensorContext, _: &Resources) -> TriggerFuture<'_> {
    Box::pin(async { Ok(SensorResult::requests([RunRequest::new()])) })
}

fn never(_: SensorContext, _: &Resources) -> TriggerFuture<'_> {
    Box::pin(async { Err(AssetError::retryable("no answer")) })
}

/// `orders` and `clicks` of each day; `joined` when both came; `mart` eagerly; `kept` fresh; `files` of a
/// dynamic set under a condition.
fn definitions() -> Definitions {
    let asset = |key: &str, deps: &[&str], condition: Option<AutomationCondition>| AssetSpec {
        partitions: Some(days()),
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
            builder.op(OpDefinition::new(OpSpec::single(asset), FnBody(nothing)))
        })
        .declare([
            sensor("both", of_assets(&["orders", "clicks"]), "joined", None),
            sensor("poisoned", of_assets(&["orders"]), "orders", Some(panics)),
            sensor(
                "cleanup",
                runs([MonitoredStatus::Failed]),
                "report",
                Some(after_a_run),
            ),
            sensor(
                "unsure",
                runs([MonitoredStatus::Failed]),
                "report",
                Some(never),
            ),
        ])
        .build()
        .unwrap()
}

struct Scene {
    world: World,
    heard: Arc<Heard>,
}

impl Scene {
    fn new() -> Self {
        Self {
            world: World::of(definitions(), 7),
            heard: Arc::default(),
        }
    }

    fn ports(&self) -> ReactPorts {
        ReactPorts {
            triggers: self.world.ports.clone(),
            resources: Arc::new(Arc::new(Resources::new())),
            ticks: Arc::clone(&self.heard) as Arc<dyn TickScheduler>,
            topic: Arc::clone(&self.heard) as Arc<dyn FreshnessTopic>,
        }
    }

    async fn react(&self, happened: &Happened) -> super::Reaction {
        react(&self.ports(), happened).await
    }
}

fn published(assets: &[&str]) -> Happened {
    Happened {
        published: assets.iter().map(|key| key.parse().unwrap()).collect(),
        ..Happened::default()
    }
}

#[test]
fn a_change_concerns_those_who_look_at_it() {
    let definitions = definitions();
    let told = |happened: &Happened| {
        let concern = concerned(&definitions, happened);
        let sensors = concern.asset_sensors.iter().chain(&concern.run_sensors);
        let mut told: Vec<String> = sensors.map(|sensor| sensor.name().to_string()).collect();
        told.extend(concern.automation.then(|| "automation".to_owned()));
        told.extend(concern.freshness.iter().map(ToString::to_string));
        told.join(" ")
    };
    assert_eq!(told(&published(&["orders"])), "both poisoned automation");
    assert_eq!(told(&published(&["clicks"])), "both");
    assert_eq!(told(&published(&["kept"])), "kept");
    assert_eq!(told(&published(&["joined", "report"])), "");
    let changed = Happened {
        changed: ["orders".parse().unwrap(), "clicks".parse().unwrap()].into(),
        ..Happened::default()
    };
    assert_eq!(told(&changed), "automation");
    let keys = |set: &str| Happened {
        keys: [set.to_owned()].into(),
        ..Happened::default()
    };
    assert_eq!(told(&keys("files")), "automation");
    assert_eq!(told(&keys("others")), "");
    let ended = Happened {
        ended: [RunId::new(ulid::Ulid::nil())].into(),
        ..Happened::default()
    };
    assert_eq!(told(&ended), "cleanup unsure automation");
    assert_eq!(told(&Happened::tick()), "both poisoned automation kept");
    assert_eq!(told(&Happened::default()), "");
}

#[tokio::test]
async fn a_poisoned_sensor_harms_nothing_else_and_is_tried_again_by_a_tick() {
    let scene = Scene::new();
    let world = &scene.world;
    scene.react(&Happened::tick()).await;
    for asset in ["orders", "clicks"] {
        world
            .make(asset, "2024-11-30", "2024-12-01T11:00:00Z")
            .await;
    }
    let both = published(&["orders", "clicks"]);
    let reaction = scene.react(&both).await;
    assert_eq!(reaction.failed, []);
    let requested = ["joined 2024-11-30", "key:\"mart\" 2024-11-30"];
    assert_eq!(world.requested().await, requested);
    let (name, decision) = &reaction.sensors[1];
    assert_eq!(name, "poisoned");
    let Decision::Failed { message } = decision else {
        panic!("{decision:?}")
    };
    assert!(message.contains("poisoned"), "{message}");
    let ticks = world.memory.trigger(&sensor_id("poisoned")).await.unwrap();
    let last = ticks.last_tick.unwrap();
    assert!(
        matches!(last.outcome, TickOutcome::Failed { .. }),
        "{last:?}"
    );
    // It is tried again in a minute, and then after longer and longer.
    let due = |at| Some(super::tests::at(at));
    assert_eq!(reaction.next, due("2024-12-01T12:01:00Z"));
    assert_eq!(
        scene.heard.ticks.lock().unwrap().last().copied(),
        reaction.next
    );
    let early = scene.react(&Happened::tick()).await;
    assert_eq!(early.next, due("2024-12-01T12:01:00Z"));
    assert!(matches!(early.sensors[1].1, Decision::Waits { .. }));
    for (now, next) in [
        ("2024-12-01T12:01:00Z", "2024-12-01T12:02:00Z"),
        ("2024-12-01T12:10:00Z", "2024-12-01T12:20:00Z"),
        ("2024-12-01T14:00:00Z", "2024-12-01T16:00:00Z"),
        ("2024-12-01T23:00:00Z", "2024-12-02T00:00:00Z"),
    ] {
        world.clock.set(now);
        let again = scene.react(&Happened::tick()).await;
        assert_eq!(again.next, due(next), "at {now}");
    }
    assert_eq!(world.requested().await, requested);
}

#[tokio::test]
async fn a_sensor_of_runs_that_fails_is_put_down_and_the_run_is_done_with() {
    let scene = Scene::new();
    let world = &scene.world;
    let run = crate::state::NewRun {
        id: world.ports.run_id(),
        key: None,
        request: crate::state::RunRequest::default(),
        plan: None,
        created_at: at("2024-12-01T11:00:00Z"),
    };
    let id = run.id;
    let state = &world.ports.state;
    state.create_run(run).await.unwrap();
    let failed = crate::state::RunChange::new(
        [RunStatus::Queued],
        RunStatus::Failed,
        at("2024-12-01T11:30:00Z"),
    );
    state.change_run(id, failed).await.unwrap();
    let ended = Happened {
        ended: [id].into(),
        ..Happened::default()
    };
    let first = scene.react(&ended).await;
    assert!(
        matches!(first.sensors[0].1, Decision::Requested { .. }),
        "{first:?}"
    );
    assert!(
        matches!(first.sensors[1].1, Decision::Failed { .. }),
        "{first:?}"
    );
    let again = scene.react(&ended).await;
    assert!(
        again
            .sensors
            .iter()
            .all(|(_, decision)| *decision == Decision::Duplicate)
    );
    assert_eq!(world.requested().await.len(), 2);
}
