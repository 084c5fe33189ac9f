//! Several processes with one home.

use std::collections::BTreeSet;

use precip_engine::state::RunStatus;
use precip_tests::{Answer, Project};

use crate::{FLIGHTS, interrupt::Gate, record::Record};

#[tokio::test]
async fn concurrent_processes_share_one_record() {
    let project = Project::flights_sample(FLIGHTS);
    let command = "materialize -s +key:delays -p 2013-01-01...2013-01-03";
    // The home does not exist yet, so they race to create it too.
    let children: Vec<_> = (0..4).map(|_| project.start(command)).collect();
    let answers: Vec<_> = children.into_iter().map(Answer::wait_for).collect();
    let record = Record::open(&project);
    let runs = record.list_runs().await;
    let newest = runs.iter().map(|run| run.id).max().unwrap();
    let mut targets = BTreeSet::new();
    for run in &runs {
        // A run that a newer one has overtaken says so and fails, and nothing else fails a run.
        let said = |part: &str| answers.iter().find(|answer| answer.messages.contains(part));
        let answer = said(&format!("run {}: ", run.id)).unwrap();
        let lines = answer.messages.lines();
        let failed = lines.filter(|line| line.starts_with("failed ")).count();
        let overtaken = "which is newer than this one, has published";
        assert_eq!(
            answer.messages.matches(overtaken).count(),
            failed,
            "{}",
            answer.messages
        );
        let (status, code) = match failed {
            0 => (RunStatus::Succeeded, 0),
            _ => (RunStatus::Failed, 1),
        };
        assert_eq!((run.status, answer.code), (status, Some(code)));
        assert!(
            run.id != newest || failed == 0,
            "the newest run was overtaken"
        );
        // What it says that it made is what the record says.
        let mut made = 0;
        for target in record.planned_targets(run.id).await {
            let (_, _, history) = record.read_published(&target).await;
            made += history.iter().filter(|made| made.run == run.id).count();
        }
        let line = format!("run {}: {made} materialized", run.id);
        assert!(
            answer.messages.contains(&line),
            "{line}:\n{}",
            answer.messages
        );
        targets.extend(
            record
                .planned_targets(run.id)
                .await
                .iter()
                .map(ToString::to_string),
        );
    }
    assert_eq!(targets.len(), 10);
    // The newest run wins everywhere, and no run publishes an item twice.
    for target in record.planned_targets(newest).await {
        let (_, by, history) = record.read_published(&target).await;
        let publishers: Vec<_> = history.iter().map(|made| made.run).collect();
        let each: BTreeSet<_> = publishers.iter().collect();
        assert_eq!(
            each.len(),
            publishers.len(),
            "{target}: a run published it twice"
        );
        assert!(
            publishers.iter().all(|publisher| *publisher <= by),
            "{target}: an older run's data is visible"
        );
    }
}

#[test]
fn an_active_run_is_not_resumed() {
    let gate = Gate::new();
    let child = gate.start_run("materialize -s gated -j 1");
    let refused = [
        "is active in another process",
        "wait for its end, or stop it there with Ctrl-C",
    ];
    gate.project.run("resume latest").expect(2, &refused);
    gate.project
        .run("retry latest")
        .expect(2, &["is running, not finished"]);
    gate.open_gate();
    Answer::wait_for(child).expect(0, &["3 materialized"]);
    gate.project
        .run("resume latest")
        .expect(0, &["has succeeded: there is nothing left to do"]);
}

#[test]
fn a_run_key_starts_one_run() {
    let gate = Gate::new();
    gate.open_gate();
    let command = "materialize -s gated -p all --run-key nightly";
    let children: Vec<_> = (0..3).map(|_| gate.project.start(command)).collect();
    let answers: Vec<_> = children
        .into_iter()
        .map(|child| Answer::wait_for(child).expect(0, &[]))
        .collect();
    let repeated = |answer: &&Answer| answer.messages.contains("was started for this key already");
    assert_eq!(answers.iter().filter(repeated).count(), 2, "{answers:?}");
    gate.project
        .run(command)
        .expect(0, &["was started for this key already"]);
    let runs = gate.project.run("runs --json").json();
    assert_eq!(runs.as_array().unwrap().len(), 1);
    let plans = std::fs::read_dir(gate.project.home().join("runs"))
        .unwrap()
        .count();
    assert_eq!(plans, 1, "a request that started no run leaves no plan");
}
