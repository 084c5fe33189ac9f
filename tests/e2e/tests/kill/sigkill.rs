//! SIGKILL anywhere, `resume` until done.

use std::{
    process::Child,
    thread,
    time::{Duration, Instant},
};

use precip_tests::{Answer, Project};

use crate::{FLIGHTS, record::Record};

/// Lets a process work until it has begun to write more files, and a moment longer; then kills it.
/// Answers how it ended when it was faster.
fn kill_later(
    project: &Project,
    mut child: Child,
    files: usize,
    moment: Duration,
) -> Option<Answer> {
    let enough = project.count_data_files() + files;
    let deadline = Instant::now() + Duration::from_secs(120);
    while project.count_data_files() < enough {
        if child.try_wait().unwrap().is_some() {
            return Some(Answer::wait_for(child));
        }
        assert!(Instant::now() < deadline, "the run does not get on");
        thread::sleep(Duration::from_millis(1));
    }
    thread::sleep(moment);
    child.kill().unwrap();
    let ended = Answer::wait_for(child);
    ended.code.is_some().then_some(ended)
}

/// Makes something with a process that is killed again and again. Answers how often it was.
fn materialize_under_fire(
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
async fn killed_anywhere_a_run_ends_with_the_truth() {
    let target = "-s '+key:delays or key:departures' -p 2013-01-01...2013-01-05";
    let calm = Project::flights_sample(FLIGHTS);
    calm.run(&format!("materialize {target}")).expect(0, &[]);
    let truth = Record::of(&calm).only_run_is_true().await;
    let mut killed = 0;
    for seed in 0..6 {
        let project = Project::flights_sample(FLIGHTS);
        killed += materialize_under_fire(&project, target, 4, 8, seed);
        let found = Record::of(&project).only_run_is_true().await;
        assert!(
            found == truth,
            "seed {seed}: what is stored differs from an undisturbed run's"
        );
    }
    assert!(
        killed >= 12,
        "the processes were too fast to be killed: {killed} kills"
    );
}

#[tokio::test]
async fn january_survives_six_kills() {
    let target = "-s * -p 2013-01-01...2013-01-31";
    let (calm, project) = (
        Project::flights_sample(FLIGHTS),
        Project::flights_sample(FLIGHTS),
    );
    calm.run(&format!("materialize {target}")).expect(0, &[]);
    materialize_under_fire(&project, target, 6, 50, 2013);
    let truth = Record::of(&calm).only_run_is_true().await;
    assert!(Record::of(&project).only_run_is_true().await == truth);
    let show = "show carrier_month --partition 2013-01 --format csv";
    let month = calm.run(show).expect(0, &[]);
    assert!(month.out.lines().count() > 10, "{}", month.out);
    assert_eq!(project.run(show), month);
}
