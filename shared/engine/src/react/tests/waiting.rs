//! Requests whose upstream windows are to come, and upstream updates of other clocks.

use precip_core::{mapping::PartitionMapping, partitions::TimeWindowPartitions};

use super::*;
use crate::{
    run::{QueuedRunPlan, plan_queued_run},
    state::{NewRun, RequestedWork, RunStore},
};

/// Daily `orders`, and `trend` from a day and the next: requested by a sensor, or by its condition.
fn trend_definitions(condition: Option<AutomationCondition>) -> Definitions {
    let days: Arc<PartitionsDefinition> = daily_partitions();
    let orders = AssetSpec {
        partitions: Some(Arc::clone(&days)),
        ..AssetSpec::new("orders".parse().unwrap())
    };
    let dep = DepSpec {
        mapping: Some(PartitionMapping::TimeWindow {
            start_offset: 0,
            end_offset: 1,
            allow_nonexistent_upstream_partitions: false,
        }),
        ..DepSpec::new("orders".parse().unwrap())
    };
    let sensor = condition.is_none();
    let trend = AssetSpec {
        partitions: Some(days),
        deps: vec![dep],
        automation: condition,
        ..AssetSpec::new("trend".parse().unwrap())
    };
    let builder = [orders, trend]
        .into_iter()
        .fold(Definitions::builder(), |builder, asset| {
            builder.op(OpDefinition::new(OpSpec::single(asset), FnBody(no_outputs)))
        });
    let watch = declare_sensor("watch", assets_source(&["orders"]), "trend", None);
    builder.declare(sensor.then_some(watch)).build().unwrap()
}

fn scene_of(definitions: Definitions) -> Scene {
    Scene {
        world: World::with_definitions(definitions, 7),
        recorder: Arc::default(),
    }
}

fn launched(scene: &Scene) -> usize {
    scene.world.launches.counts.lock().unwrap().len()
}

#[tokio::test]
async fn a_run_of_a_sensor_waits_until_its_upstream_window_exists() {
    let scene = scene_of(trend_definitions(None));
    let world = &scene.world;
    world
        .materialize_at("orders", "2024-11-30", "2024-12-01T00:10:00Z")
        .await;
    let reaction = scene.react_to(&published_changes(&["orders"])).await;
    assert_eq!(reaction.failed, []);
    assert_eq!(world.requested_lines().await, ["trend 2024-11-30"]);
    assert_eq!(launched(&scene), 0, "1 December does not exist yet");
    assert_eq!(reaction.next, Some(utc("2024-12-02T00:00:00Z")));
    // A tick before that changes nothing.
    let early = scene.react_to(&ChangeSet::on_tick()).await;
    assert_eq!((launched(&scene), early.next), (0, reaction.next));
    world.clock.set_now("2024-12-02T00:00:00Z");
    let reaction = scene.react_to(&ChangeSet::on_tick()).await;
    assert_eq!((launched(&scene), reaction.failed), (1, Vec::new()));
    assert_eq!(world.requested_lines().await.len(), 1);
}

/// The plan of a run is as of its request, which was before the window that it waited for.
#[tokio::test]
async fn a_run_that_waited_is_planned_as_of_its_start() {
    let scene = scene_of(trend_definitions(None));
    let world = &scene.world;
    world
        .materialize_at("orders", "2024-11-30", "2024-12-01T00:10:00Z")
        .await;
    scene.react_to(&published_changes(&["orders"])).await;
    let (run, _) = world.recorded_runs().await.remove(0);
    let (definitions, state) = (&world.ports.definitions, &world.ports.state);
    world.clock.set_now("2024-12-02T00:10:00Z");
    world
        .materialize_at("orders", "2024-12-01", "2024-12-02T00:10:00Z")
        .await;
    let start = utc("2024-12-02T00:20:00Z");
    let planned = plan_queued_run(definitions, state, start, &run).await;
    let QueuedRunPlan::Planned(planned) = planned.unwrap() else {
        panic!("the run can be planned");
    };
    assert_eq!((planned.plan.at, planned.plan.pair_count()), (start, 1));
    assert_eq!(planned.plan.needed, []);
    // It is refused if it is started before the window exists.
    let early = utc("2024-12-01T23:00:00Z");
    let refused = plan_queued_run(definitions, state, early, &run).await;
    let QueuedRunPlan::Invalid(refused) = refused.unwrap() else {
        panic!("the window is still to come");
    };
    assert!(refused.to_string().contains("2024-12-01"), "{refused}");
}

/// A function other than the reactor has recorded the waiting run: the change of the record arranges
/// its start.
#[tokio::test]
async fn a_waiting_run_that_another_function_recorded_is_launched() {
    let scene = scene_of(trend_definitions(None));
    let world = &scene.world;
    let patient = world.ports.with_patience();
    let run = NewRun {
        id: patient.run_id(),
        key: None,
        request: RequestedWork {
            selection: "trend".to_owned(),
            partitions: Some("2024-11-30".to_owned()),
            ..RequestedWork::default()
        },
        plan: None,
        created_at: utc("2024-12-01T00:10:00Z"),
    };
    let created = world.memory.create_run(run).await.unwrap();
    patient.launcher.launch(created.run()).await.unwrap();
    assert_eq!(launched(&scene), 0);
    let changes = ChangeSet {
        waiting: true,
        ..ChangeSet::default()
    };
    let reaction = scene.react_to(&changes).await;
    let next = Some(utc("2024-12-02T00:00:00Z"));
    assert_eq!((launched(&scene), reaction.next), (0, next));
    world.clock.set_now("2024-12-02T00:00:00Z");
    let reaction = scene.react_to(&changes).await;
    assert_eq!((launched(&scene), reaction.next), (1, None));
}

#[tokio::test]
async fn a_run_that_can_be_planned_is_launched_at_once() {
    let scene = scene_of(trend_definitions(None));
    let world = &scene.world;
    world
        .materialize_at("orders", "2024-11-29", "2024-12-01T00:10:00Z")
        .await;
    scene.react_to(&published_changes(&["orders"])).await;
    assert_eq!(world.requested_lines().await, ["trend 2024-11-29"]);
    assert_eq!(launched(&scene), 1);
}

#[tokio::test]
async fn a_condition_waits_until_the_upstream_window_exists() {
    let scene = scene_of(trend_definitions(Some(AutomationCondition::eager())));
    let world = &scene.world;
    scene.react_to(&ChangeSet::on_tick()).await;
    world
        .materialize_at("orders", "2024-11-30", "2024-12-01T12:10:00Z")
        .await;
    let reaction = scene.react_to(&published_changes(&["orders"])).await;
    assert_eq!(reaction.next, Some(utc("2024-12-02T00:00:00Z")));
    world.clock.set_now("2024-12-02T00:00:01Z");
    scene.react_to(&ChangeSet::on_tick()).await;
    assert!(world.requested_lines().await.is_empty());
    world
        .materialize_at("orders", "2024-12-01", "2024-12-02T00:01:00Z")
        .await;
    scene.react_to(&published_changes(&["orders"])).await;
    assert_eq!(world.requested_lines().await, ["key:\"trend\" 2024-11-30"]);
    for _ in 0..3 {
        scene.react_to(&ChangeSet::on_tick()).await;
    }
    assert_eq!(world.requested_lines().await.len(), 1);
}

#[tokio::test]
async fn an_update_with_a_later_time_than_the_evaluator_s_is_requested_once() {
    let hourly = TimeWindowPartitions::hourly("2024-11-01-00:00")
        .build()
        .unwrap();
    let hours: Arc<PartitionsDefinition> = Arc::new(hourly.into());
    let asset = |key: &str, deps: &[&str], condition| AssetSpec {
        partitions: Some(Arc::clone(&hours)),
        deps: deps
            .iter()
            .map(|dep| DepSpec::new(dep.parse().unwrap()))
            .collect(),
        automation: condition,
        ..AssetSpec::new(key.parse().unwrap())
    };
    let definitions = [
        asset("up", &[], None),
        asset("down", &["up"], Some(AutomationCondition::eager())),
    ]
    .into_iter()
    .fold(Definitions::builder(), |builder, asset| {
        builder.op(OpDefinition::new(OpSpec::single(asset), FnBody(no_outputs)))
    });
    let scene = scene_of(definitions.build().unwrap());
    let world = &scene.world;
    scene.react_to(&ChangeSet::on_tick()).await;
    for (index, time) in [
        "2024-12-01T11:59:00Z",
        "2024-12-01T18:00:00Z",
        "2030-01-01T00:00:00Z",
    ]
    .into_iter()
    .enumerate()
    {
        world.materialize_at("up", "2024-12-01-11:00", time).await;
        for _ in 0..20 {
            scene.react_to(&ChangeSet::on_tick()).await;
        }
        assert_eq!(world.requested_lines().await.len(), index + 1, "{time}");
        // The requested run ends by the evaluator's clock.
        world
            .materialize_at("down", "2024-12-01-11:00", "2024-12-01T12:00:00Z")
            .await;
        for _ in 0..20 {
            scene.react_to(&published_changes(&["down"])).await;
        }
        assert_eq!(world.requested_lines().await.len(), index + 1, "{time}");
    }
}
