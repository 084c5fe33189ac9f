use precip_core::trigger::{DefaultStatus, MonitoredStatus, Require, SensorSource, SensorSpec};

use super::world::{World, utc};
use crate::{
    asset::Resources,
    state::{NewRun, RequestedWork as Requested, Run, RunOrigin, RunStatus},
    trigger::{
        Decision, RunRequest, SensorContext, SensorDefinition, SensorResult, TriggerFuture,
        evaluate_assets, evaluate_run, sensor_id,
    },
};

fn sensor_of_both(require: Require, target: &str, assets: [&str; 2]) -> SensorDefinition {
    SensorDefinition::new(SensorSpec {
        name: "both".parse().unwrap(),
        source: SensorSource::Assets {
            assets: assets.map(|asset| asset.parse().unwrap()).to_vec(),
            require,
        },
        target: Some(target.parse().unwrap()),
        default_status: DefaultStatus::Running,
        description: None,
        has_function: false,
    })
}

#[tokio::test]
async fn both_raw_tables_have_new_materializations() {
    let world = World::new();
    let sensor = sensor_of_both(Require::All, "joined", ["orders", "clicks"]);
    let evaluate = async || evaluate_assets(&world.ports, &sensor).await.unwrap();
    world
        .materialize_at("orders", "2024-03-01", "2024-04-01T00:00:00Z")
        .await;
    world
        .materialize_at("clicks", "2024-03-02", "2024-04-01T00:00:01Z")
        .await;
    assert!(matches!(evaluate().await, Decision::Skipped { .. }));
    // A partition of one asset waits for its counterpart in the other, however late that is.
    world
        .materialize_at("clicks", "2024-03-01", "2024-04-01T00:00:02Z")
        .await;
    assert!(matches!(evaluate().await, Decision::Requested { .. }));
    assert!(matches!(evaluate().await, Decision::Skipped { .. }));
    world
        .materialize_at("orders", "2024-03-02", "2024-04-01T00:00:03Z")
        .await;
    evaluate().await;
    assert_eq!(
        world.requested_lines().await,
        ["joined 2024-03-01", "joined 2024-03-02"]
    );
}

/// A deployment that moves the start of the days lies between an update and its counterpart.
#[tokio::test]
async fn an_unused_update_is_found_by_key_after_a_deployment() {
    let sensor = sensor_of_both(Require::All, "joined", ["orders", "clicks"]);
    for start in ["2023-12-01", "2024-03-02", "2024-03-03"] {
        let mut world = World::new();
        for (asset, day) in [
            ("orders", "2024-03-01"),
            ("clicks", "2024-03-01"),
            ("clicks", "2024-03-02"),
        ] {
            world
                .materialize_at(asset, day, "2024-04-01T00:00:00Z")
                .await;
        }
        evaluate_assets(&world.ports, &sensor).await.unwrap();
        world.deploy_days_from(start).await;
        for day in ["2024-03-02", "2024-03-03"] {
            if day >= start {
                world
                    .materialize_at("orders", day, "2024-04-01T00:00:01Z")
                    .await;
            }
            evaluate_assets(&world.ports, &sensor).await.unwrap();
        }
        let mut expected = vec!["joined 2024-03-01"];
        // A day that is gone is dropped, and no other takes its place.
        expected.extend((start != "2024-03-03").then_some("joined 2024-03-02"));
        assert_eq!(world.requested_lines().await, expected, "{start}");
    }
}

#[tokio::test]
async fn one_is_enough_when_any_is_asked_for() {
    let world = World::new();
    let sensor = sensor_of_both(Require::Any, "joined", ["orders", "clicks"]);
    world
        .materialize_at("orders", "2024-03-01", "2024-04-01T00:00:00Z")
        .await;
    world
        .materialize_at("orders", "2024-03-02", "2024-04-01T00:00:00Z")
        .await;
    evaluate_assets(&world.ports, &sensor).await.unwrap();
    assert_eq!(
        world.requested_lines().await,
        ["joined 2024-03-01,2024-03-02"]
    );
}

#[tokio::test]
async fn unpartitioned_assets_are_waited_for_as_a_whole() {
    let world = World::new();
    let sensor = sensor_of_both(Require::All, "report", ["report", "report_too"]);
    world
        .materialize_at("report", "", "2024-04-01T00:00:00Z")
        .await;
    evaluate_assets(&world.ports, &sensor).await.unwrap();
    assert_eq!(world.requested_lines().await, [""; 0]);
    world
        .materialize_at("report_too", "", "2024-04-01T00:00:00Z")
        .await;
    evaluate_assets(&world.ports, &sensor).await.unwrap();
    evaluate_assets(&world.ports, &sensor).await.unwrap();
    assert_eq!(world.requested_lines().await, ["report "]);
}

fn after_a_run(context: SensorContext, _: &Resources) -> TriggerFuture<'_> {
    Box::pin(async move {
        let run = context.run()?;
        Ok(SensorResult::requests([
            RunRequest::new().tag("after", run.id.to_string())
        ]))
    })
}

/// Requests a run with config for an op that does not exist.
fn misconfigured(_: SensorContext, _: &Resources) -> TriggerFuture<'_> {
    Box::pin(async {
        let config = serde_json::json!({"reprot": {}});
        Ok(SensorResult::requests([RunRequest::new().config(config)]))
    })
}

fn ended_run(world: &World, status: RunStatus) -> Run {
    let run = NewRun {
        id: world.ports.run_id(),
        key: None,
        request: Requested::default(),
        plan: None,
        created_at: utc("2024-04-01T00:00:00Z"),
    };
    Run {
        status,
        finished_at: Some(utc("2024-04-01T00:10:00Z")),
        ..run.into_run()
    }
}

#[tokio::test]
async fn the_end_of_a_run_is_handled_once() {
    let world = World::new();
    let sensor = SensorDefinition::new(SensorSpec {
        name: "cleanup".parse().unwrap(),
        source: SensorSource::Runs {
            statuses: vec![MonitoredStatus::Failed],
            of: None,
        },
        target: Some("report".parse().unwrap()),
        default_status: DefaultStatus::Running,
        description: None,
        has_function: true,
    })
    .with_function(after_a_run);
    let evaluate = async |run: &Run| evaluate_run(&world.ports, &sensor, run).await.unwrap();
    assert!(matches!(
        evaluate(&ended_run(&world, RunStatus::Succeeded)).await,
        Decision::Ignored { .. }
    ));
    let failed = ended_run(&world, RunStatus::Failed);
    assert!(matches!(
        evaluate(&failed).await,
        Decision::Requested { .. }
    ));
    assert_eq!(evaluate(&failed).await, Decision::Duplicate);
    assert_eq!(world.requested_lines().await, ["report "]);
    // A request with invalid config is refused before its run is recorded.
    let broken = sensor.clone().with_function(misconfigured);
    let another = ended_run(&world, RunStatus::Failed);
    let Decision::Failed { message } = evaluate_run(&world.ports, &broken, &another).await.unwrap()
    else {
        panic!("the function's config is invalid");
    };
    assert!(
        message.contains("did you mean `report` or `report_too`?"),
        "{message}"
    );
    assert_eq!(world.requested_lines().await, ["report "]);
    // Its own runs do not trigger it.
    let mut own = ended_run(&world, RunStatus::Failed);
    own.request.origin = RunOrigin::Trigger(sensor_id("cleanup"));
    assert!(matches!(evaluate(&own).await, Decision::Ignored { .. }));
}
