//! Several processes at one home.

use std::collections::BTreeSet;

use precip_engine::state::RunStatus;
use precip_tests::{Answer, Project};

use crate::{FLIGHTS, interrupt::Gate, record::Record};

#[tokio::test]
async fn processes_that_begin_at_once_leave_one_record() {
    let project = Project::flights_sample(FLIGHTS);
    let command = "materialize -s +key:delays -p 2013-01-01...2013-01-03";
    // The home is not made yet: they race for that as well.
    let children: Vec<_> = (0..4).map(|_| project.start(command)).collect();
    for child in children {
        Answer::wait_for(child).expect(0, &[]);
    }
    let record = Record::of(&project);
    let runs = record.runs().await;
    let mut targets = BTreeSet::new();
    for run in &runs {
        assert_eq!(run.status, RunStatus::Succeeded);
        targets.extend(record.planned(run.id).await.iter().map(ToString::to_string));
    }
    assert_eq!(targets.len(), 10);
    let newest = runs.iter().map(|run| run.id).max().unwrap();
    for target in record.planned(newest).await {
        let (_, by, history) = record.published(&target).await;
        let makers: Vec<_> = history.iter().map(|made| made.run).collect();
        let each: BTreeSet<_> = makers.iter().collect();
        assert_eq!(
            each.len(),
            makers.len(),
            "{target}: a run published it twice"
        );
        assert!(
            makers.iter().all(|maker| *maker <= by),
            "{target}: an older run's data is seen"
        );
    }
}

#[test]
fn a_run_that_is_at_work_is_not_resumed() {
    let gate = Gate::new();
    let child = gate.start("materialize -s gated -j 1");
    let refused = [
        "is active in another process",
        "wait for its end, or stop it there with Ctrl-C",
    ];
    gate.project.run("resume latest").expect(2, &refused);
    gate.project
        .run("retry latest")
        .expect(2, &["is running, not finished"]);
    gate.open();
    Answer::wait_for(child).expect(0, &["3 materialized"]);
    gate.project
        .run("resume latest")
        .expect(0, &["has succeeded: there is nothing left to do"]);
}

#[test]
fn a_run_key_starts_one_run() {
    let gate = Gate::new();
    gate.open();
    let command = "materialize -s gated -p all --run-key nightly";
    let children: Vec<_> = (0..3).map(|_| gate.project.start(command)).collect();
    let answers: Vec<_> = children
        .into_iter()
        .map(|child| Answer::wait_for(child).expect(0, &[]))
        .collect();
    let repeated = |answer: &&Answer| answer.said.contains("was started for this key already");
    assert_eq!(answers.iter().filter(repeated).count(), 2, "{answers:?}");
    gate.project
        .run(command)
        .expect(0, &["was started for this key already"]);
    let runs = gate.project.run("runs --json").json();
    assert_eq!(runs.as_array().unwrap().len(), 1);
    let plans = std::fs::read_dir(gate.project.home().join("runs"))
        .unwrap()
        .count();
    assert_eq!(plans, 1, "what never became a run leaves nothing behind");
}
