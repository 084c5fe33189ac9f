//! Commands with `--on aws`, on a deployment in memory.

use std::sync::Arc;

use insta::assert_snapshot;
use precip_cli::{target::Target, testing::Exit};
use precip_engine::deployment::ExecutionStatus;

use crate::{
    machine::Machine,
    world::{World, stable_snapshots},
};

/// Returns the project of these tests on a deployment.
async fn deployed_world() -> (World, Arc<Machine>) {
    let mut world = World::new().await;
    let machine = Machine::new(Arc::clone(&world.session.definitions));
    let deployment = machine.as_deployment();
    world.session.store = Arc::clone(&deployment.store);
    world.session.context.dynamic.clear();
    world.session.target = Target::Aws(Arc::new(deployment));
    (world, machine)
}

const ALL: [&str; 4] = ["--select", "+key:totals", "--partitions", "all"];

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_started_followed_and_shown() {
    let _stable = stable_snapshots();
    let (world, machine) = deployed_world().await;
    assert_eq!(world.materialize(&ALL).await, Ok(Exit::RunFailed));
    assert_snapshot!("aws_run", world.output_of("run", &["latest"]).await);
    assert_snapshot!("aws_runs", world.output_of("runs", &[]).await);
    let day = ["totals", "--partition", "2024-01-01", "--format", "csv"];
    let shown = world.output_of("show", &day).await;
    assert_eq!(shown, "city,trips\nNew York,1\nNewark,2\n");
    // A retry runs the rest in another execution, which fails again.
    let again = world
        .run_command("retry", &["latest"], &mut Vec::new())
        .await;
    assert_eq!(again, Ok(Exit::RunFailed));
    assert_eq!(machine.execution_count(), 2);
    let retried = world.output_of("run", &["latest"]).await;
    assert!(retried.contains("materialized 0 of 2"), "{retried}");
    // Materialized partitions are kept, and do not run again.
    let missing = [
        "--select",
        "trips",
        "--partitions",
        "missing:2024-01-01...2024-01-02",
    ];
    assert_eq!(world.materialize(&missing).await, Ok(Exit::Done));
    assert_eq!(machine.execution_count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_detached_run_is_named_and_can_be_stopped() {
    let (world, machine) = deployed_world().await;
    *machine.stops_after_plan.lock().unwrap() = true;
    let mut out = Vec::new();
    let detached = [&ALL[..], &["--detach"]].concat();
    let started = world.run_command("materialize", &detached, &mut out).await;
    assert_eq!(started, Ok(Exit::Done));
    let out = String::from_utf8(out).unwrap();
    let [id, arn] = out.lines().collect::<Vec<_>>()[..] else {
        panic!("{out} is no run and its execution");
    };
    assert!(arn.ends_with(id), "{out}");
    assert!(world.output_of("run", &[id]).await.contains("running"));
    assert!(
        world
            .failure_of("retry", &[id])
            .await
            .contains("is running, not finished")
    );
    world.output_of("cancel", &[id]).await;
    let shown = world.output_of("run", &[id]).await;
    assert!(shown.contains("canceled by command"), "{shown}");
    assert!(shown.contains(&format!("{arn} (ABORTED)")), "{shown}");
    // A canceled run can be retried.
    *machine.stops_after_plan.lock().unwrap() = false;
    let retried = world.run_command("retry", &[id], &mut Vec::new()).await;
    assert_eq!(retried, Ok(Exit::RunFailed));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_not_on_record_yet_is_awaited() {
    let (world, machine) = deployed_world().await;
    *machine.starts_on_request.lock().unwrap() = true;
    *machine.stops_after_plan.lock().unwrap() = true;
    let mut out = Vec::new();
    let detached = [&ALL[..], &["--detach"]].concat();
    world
        .run_command("materialize", &detached, &mut out)
        .await
        .unwrap();
    let out = String::from_utf8(out).unwrap();
    let [id, arn] = out.lines().collect::<Vec<_>>()[..] else {
        panic!("{out} is no run and its execution");
    };
    let begins = async {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        machine.begin_execution(arn);
    };
    let words = [id];
    tokio::join!(world.output_of("cancel", &words), begins);
    let shown = world.output_of("run", &[id]).await;
    assert!(shown.contains("canceled by command"), "{shown}");
    // A run whose execution ended without it, and a run that was never started, are not awaited.
    let mut out = Vec::new();
    world
        .run_command("materialize", &detached, &mut out)
        .await
        .unwrap();
    let out = String::from_utf8(out).unwrap();
    let [id, arn] = out.lines().collect::<Vec<_>>()[..] else {
        panic!("{out} is no run and its execution");
    };
    machine.end_execution(arn, ExecutionStatus::Failed, "its input made no sense");
    assert!(
        world
            .failure_of("run", &[id])
            .await
            .contains("there is no run")
    );
    let unknown = "01M8GSKP1F4NJX3B6CC39XWMD1";
    assert!(
        world
            .failure_of("run", &[unknown])
            .await
            .contains("there is no run")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn showing_a_run_records_the_end_of_its_execution() {
    let (world, machine) = deployed_world().await;
    *machine.stops_after_plan.lock().unwrap() = true;
    let mut out = Vec::new();
    let detached = [&ALL[..], &["--detach"]].concat();
    world
        .run_command("materialize", &detached, &mut out)
        .await
        .unwrap();
    let out = String::from_utf8(out).unwrap();
    let arn = out.lines().last().unwrap();
    machine.end_execution(arn, ExecutionStatus::TimedOut, "it took too long");
    // `doctor` only reports the difference.
    let doctor = world.output_of("doctor", &[]).await;
    assert!(
        doctor.contains("is running on record, and its execution has ended"),
        "{doctor}"
    );
    // `run` records the end.
    let shown = world.output_of("run", &["latest"]).await;
    assert!(shown.contains("failed"), "{shown}");
    assert!(shown.contains("it took too long"), "{shown}");
    let doctor = world.output_of("doctor", &[]).await;
    assert!(
        doctor.contains("every active run has its execution"),
        "{doctor}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_starts_one_run() {
    let (world, machine) = deployed_world().await;
    let day = [
        "--select",
        "trips",
        "--partitions",
        "2024-01-01",
        "--run-key",
        "a",
    ];
    assert_eq!(world.materialize(&day).await, Ok(Exit::Done));
    assert_eq!(world.materialize(&day).await, Ok(Exit::Done));
    // The second request started no execution.
    assert_eq!(machine.execution_count(), 1);
    assert_eq!(world.output_of("runs", &[]).await.lines().count(), 2);
    let other = [
        "--select",
        "trips",
        "--partitions",
        "2024-01-01",
        "--run-key",
        "b",
    ];
    assert_eq!(world.materialize(&other).await, Ok(Exit::Done));
    assert_eq!(machine.execution_count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn options_of_another_target_are_refused() {
    let _stable = stable_snapshots();
    let (mut world, _) = deployed_world().await;
    world.materialize(&ALL).await.unwrap();
    let mut shown = String::new();
    for (command, arguments) in [
        ("materialize", &["--select", "trips", "-j", "2"][..]),
        (
            "materialize",
            &["--select", "trips", "--partitions", "2023-01-01"],
        ),
        ("resume", &["latest"]),
        ("retry", &["01JDC0Z5V9M3T8Q4W2X7Y6R1KA"]),
    ] {
        let refused = world.failure_of(command, arguments).await;
        shown += &format!("$ --on aws {command} {}\n{refused}\n", arguments.join(" "));
    }
    world.session.now_overridden = true;
    let refused = world
        .failure_of("materialize", &["--select", "trips"])
        .await;
    shown += &format!("$ --on aws --now TIME materialize\n{refused}\n");
    let here = World::new().await;
    let refused = here
        .failure_of("materialize", &["--select", "trips", "--detach"])
        .await;
    shown += &format!("$ materialize --select trips --detach\n{refused}\n");
    assert_snapshot!("aws_errors", shown);
}
