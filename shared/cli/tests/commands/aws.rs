//! Commands on a deployment: what they do there, and what they say.

use std::sync::Arc;

use insta::assert_snapshot;
use precip_cli::{exit::Exit, place::Place};
use precip_engine::deployment::ExecutionStatus;

use crate::{
    machine::Machine,
    world::{World, stable},
};

/// Two days of a project on AWS.
async fn deployed() -> (World, Arc<Machine>) {
    let mut world = World::new().await;
    let machine = Machine::new(Arc::clone(&world.session.definitions));
    let deployment = machine.deployment();
    world.session.store = Arc::clone(&deployment.store);
    world.session.context.dynamic.clear();
    world.session.place = Place::Aws(Arc::new(deployment));
    (world, machine)
}

const ALL: [&str; 4] = ["--select", "+key:totals", "--partitions", "all"];

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_started_followed_and_shown() {
    let _stable = stable();
    let (world, machine) = deployed().await;
    assert_eq!(world.materialize(&ALL).await, Ok(Exit::RunFailed));
    assert_snapshot!("aws_run", world.prints("run", &["latest"]).await);
    assert_snapshot!("aws_runs", world.prints("runs", &[]).await);
    let day = ["totals", "--partition", "2024-01-01", "--format", "csv"];
    let shown = world.prints("show", &day).await;
    assert_eq!(shown, "city,trips\nNew York,1\nNewark,2\n");
    // What it left is tried again, by another execution, and fails again.
    let again = world.run("retry", &["latest"], &mut Vec::new()).await;
    assert_eq!(again, Ok(Exit::RunFailed));
    assert_eq!(machine.count(), 2);
    let retried = world.prints("run", &["latest"]).await;
    assert!(retried.contains("made        0 of 2"), "{retried}");
    // What was made stays, and is not made again.
    let missing = [
        "--select",
        "trips",
        "--partitions",
        "2024-01-01...2024-01-02",
    ];
    let missing = missing.map(|word| word.replace("2024-01-01.", "missing:2024-01-01."));
    let missing: Vec<&str> = missing.iter().map(String::as_str).collect();
    assert_eq!(world.materialize(&missing).await, Ok(Exit::Done));
    assert_eq!(machine.count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_detached_run_is_named_and_can_be_stopped() {
    let (world, machine) = deployed().await;
    *machine.holds.lock().unwrap() = true;
    let mut out = Vec::new();
    let detached = [&ALL[..], &["--detach"]].concat();
    let started = world.run("materialize", &detached, &mut out).await;
    assert_eq!(started, Ok(Exit::Done));
    let out = String::from_utf8(out).unwrap();
    let [id, arn] = out.lines().collect::<Vec<_>>()[..] else {
        panic!("{out} is no run and its execution");
    };
    assert!(arn.ends_with(id), "{out}");
    assert!(world.prints("run", &[id]).await.contains("running"));
    assert!(
        world
            .refuses("retry", &[id])
            .await
            .contains("is running, not finished")
    );
    world.prints("cancel", &[id]).await;
    let shown = world.prints("run", &[id]).await;
    assert!(shown.contains("canceled by command"), "{shown}");
    assert!(shown.contains(&format!("{arn} (ABORTED)")), "{shown}");
    // Now it can be retried.
    *machine.holds.lock().unwrap() = false;
    let retried = world.run("retry", &[id], &mut Vec::new()).await;
    assert_eq!(retried, Ok(Exit::RunFailed));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_has_not_begun_is_waited_for() {
    let (world, machine) = deployed().await;
    *machine.waits.lock().unwrap() = true;
    *machine.holds.lock().unwrap() = true;
    let mut out = Vec::new();
    let detached = [&ALL[..], &["--detach"]].concat();
    world.run("materialize", &detached, &mut out).await.unwrap();
    let out = String::from_utf8(out).unwrap();
    let [id, arn] = out.lines().collect::<Vec<_>>()[..] else {
        panic!("{out} is no run and its execution");
    };
    let begins = async {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        machine.begin(arn);
    };
    let words = [id];
    tokio::join!(world.prints("cancel", &words), begins);
    let shown = world.prints("run", &[id]).await;
    assert!(shown.contains("canceled by command"), "{shown}");
    // One whose execution made no run, and one that nobody started, are not waited for.
    let mut out = Vec::new();
    world.run("materialize", &detached, &mut out).await.unwrap();
    let out = String::from_utf8(out).unwrap();
    let [id, arn] = out.lines().collect::<Vec<_>>()[..] else {
        panic!("{out} is no run and its execution");
    };
    machine.end(arn, ExecutionStatus::Failed, "its input made no sense");
    assert!(
        world
            .refuses("run", &[id])
            .await
            .contains("there is no run")
    );
    let nobody = "01M8GSKP1F4NJX3B6CC39XWMD1";
    assert!(
        world
            .refuses("run", &[nobody])
            .await
            .contains("there is no run")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn looking_at_a_run_puts_down_that_its_execution_ended() {
    let (world, machine) = deployed().await;
    *machine.holds.lock().unwrap() = true;
    let mut out = Vec::new();
    let detached = [&ALL[..], &["--detach"]].concat();
    world.run("materialize", &detached, &mut out).await.unwrap();
    let out = String::from_utf8(out).unwrap();
    let arn = out.lines().last().unwrap();
    machine.end(arn, ExecutionStatus::TimedOut, "it took too long");
    let doctor = world.prints("doctor", &[]).await;
    assert!(
        doctor.contains("is running on record, and its execution has ended"),
        "{doctor}"
    );
    let shown = world.prints("run", &["latest"]).await;
    assert!(shown.contains("failed"), "{shown}");
    assert!(shown.contains("it took too long"), "{shown}");
    let doctor = world.prints("doctor", &[]).await;
    assert!(
        doctor.contains("every run that is under way has its execution"),
        "{doctor}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_starts_one_run() {
    let (world, machine) = deployed().await;
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
    assert_eq!(machine.count(), 1);
    assert_eq!(world.prints("runs", &[]).await.lines().count(), 2);
    let other = [
        "--select",
        "trips",
        "--partitions",
        "2024-01-01",
        "--run-key",
        "b",
    ];
    assert_eq!(world.materialize(&other).await, Ok(Exit::Done));
    assert_eq!(machine.count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_this_machine_can_do_is_refused_there_and_the_other_way_round() {
    let _stable = stable();
    let (mut world, _) = deployed().await;
    world.materialize(&ALL).await.unwrap();
    let mut told = String::new();
    for (command, arguments) in [
        ("materialize", &["--select", "trips", "-j", "2"][..]),
        (
            "materialize",
            &["--select", "trips", "--partitions", "2023-01-01"],
        ),
        ("resume", &["latest"]),
        ("retry", &["01JDC0Z5V9M3T8Q4W2X7Y6R1KA"]),
    ] {
        let refused = world.refuses(command, arguments).await;
        told += &format!("$ --on aws {command} {}\n{refused}\n", arguments.join(" "));
    }
    world.session.pretended = true;
    let refused = world.refuses("materialize", &["--select", "trips"]).await;
    told += &format!("$ --on aws --now TIME materialize\n{refused}\n");
    let here = World::new().await;
    let refused = here
        .refuses("materialize", &["--select", "trips", "--detach"])
        .await;
    told += &format!("$ materialize --select trips --detach\n{refused}\n");
    assert_snapshot!("aws_errors", told);
}
