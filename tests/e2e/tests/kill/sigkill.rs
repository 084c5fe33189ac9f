//! Runs that are killed at any moment, and resumed until they are done.

use std::{
    process::Child,
    thread,
    time::{Duration, Instant},
};

use precip_tests::{Answer, Project};

use crate::{FLIGHTS, record::Record};

/// Kills a process once it has created so many files, and a moment later. Returns its answer if it
/// ended before.
fn kill_later(
    project: &Project,
    mut child: Child,
    files: usize,
    moment: Duration,
) -> Option<Answer> {
    let enough_files = project.count_data_files() + files;
    let deadline = Instant::now() + Duration::from_secs(120);
    while project.count_data_files() < enough_files {
        if child.try_wait().unwrap().is_some() {
            return Some(Answer::wait_for(child));
        }
        assert!(Instant::now() < deadline, "the run makes no progress");
        thread::sleep(Duration::from_millis(1));
    }
    thread::sleep(moment);
    child.kill().unwrap();
    let ended = Answer::wait_for(child);
    ended.code.is_some().then_some(ended)
}

/// Materializes a target with processes that are killed. Returns the number of kills.
fn materialize_with_kills(
    project: &Project,
    target: &str,
    kills: u32,
    every: usize,
    seed: u64,
) -> u32 {
    let mut chance = fastrand::Rng::with_seed(seed);
    let mut killed = 0;
    while killed < kills {
        let known = project.run("runs --json").expect(0, &[]).json();
        let jobs = chance.u32(1..5);
        let command = match known.as_array().unwrap().first() {
            None => format!("materialize {target} -j {jobs}"),
            Some(_) => format!("resume latest -j {jobs}"),
        };
        let moment = Duration::from_micros(chance.u64(0..20_000));
        let child = project.start(&command);
        if let Some(answer) = kill_later(project, child, chance.usize(0..every), moment) {
            answer.expect(0, &[]);
            break;
        }
        killed += 1;
    }
    project.run("resume latest").expect(0, &[]);
    killed
}

#[tokio::test]
async fn a_run_that_is_killed_anywhere_is_completed() {
    let target = "-s '+key:delays or key:departures' -p 2013-01-01...2013-01-05";
    let undisturbed = Project::flights_sample(FLIGHTS);
    undisturbed
        .run(&format!("materialize {target}"))
        .expect(0, &[]);
    let truth = Record::open(&undisturbed).assert_only_run_is_true().await;
    let mut killed = 0;
    for seed in 0..6 {
        let project = Project::flights_sample(FLIGHTS);
        killed += materialize_with_kills(&project, target, 4, 8, seed);
        let found = Record::open(&project).assert_only_run_is_true().await;
        assert!(
            found == truth,
            "seed {seed}: what is stored differs from an undisturbed run's"
        );
    }
    assert!(killed >= 12, "too few kills: {killed}");
}

#[tokio::test]
async fn january_survives_six_kills() {
    let target = "-s * -p 2013-01-01...2013-01-31";
    let (undisturbed, project) = (
        Project::flights_sample(FLIGHTS),
        Project::flights_sample(FLIGHTS),
    );
    undisturbed
        .run(&format!("materialize {target}"))
        .expect(0, &[]);
    materialize_with_kills(&project, target, 6, 50, 2013);
    let truth = Record::open(&undisturbed).assert_only_run_is_true().await;
    assert!(Record::open(&project).assert_only_run_is_true().await == truth);
    let show = "show carrier_month --partition 2013-01 --format csv";
    let month = undisturbed.run(show).expect(0, &[]);
    assert!(month.out.lines().count() > 10, "{}", month.out);
    assert_eq!(project.run(show), month);
}
