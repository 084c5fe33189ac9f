//! Ctrl-C, once and twice.

use std::{
    fs,
    path::PathBuf,
    process::Child,
    thread,
    time::{Duration, Instant},
};

use precip_tests::{Answer, Project, interrupt_process};

use crate::WORKSHOP;

/// A project whose `gated` waits at a gate.
pub(crate) struct Gate {
    pub(crate) project: Project,
    file: PathBuf,
}

impl Gate {
    pub(crate) fn new() -> Self {
        let project = Project::new(WORKSHOP);
        let file = project.folder().join("gate");
        let path = file.display().to_string();
        Self {
            project: project.with_variable("WORKSHOP_GATE", path),
            file,
        }
    }

    /// Starts a run, and returns once it waits at the gate.
    pub(crate) fn start_run(&self, arguments: &str) -> Child {
        let entered = self.file.with_extension("entered");
        let mut child = self.project.start(arguments);
        let deadline = Instant::now() + Duration::from_secs(60);
        while !entered.exists() {
            assert!(
                child.try_wait().unwrap().is_none(),
                "{:?}",
                Answer::wait_for(child)
            );
            assert!(Instant::now() < deadline, "the run does not start");
            thread::sleep(Duration::from_millis(5));
        }
        child
    }

    /// Lets `gated` return.
    pub(crate) fn open_gate(&self) {
        fs::write(&self.file, "").unwrap();
    }
}

#[test]
fn ctrl_c_waits_for_running_items() {
    let gate = Gate::new();
    let child = gate.start_run("materialize -s gated -j 1");
    interrupt_process(&child);
    // The signal arrives before the gate opens, as the message shows.
    thread::sleep(Duration::from_millis(200));
    gate.open_gate();
    let stopped =
        Answer::wait_for(child).expect(1, &["stopping:", "was stopped: 1 materialized", "2 left"]);
    assert!(
        stopped.messages.contains("resumes it"),
        "{}",
        stopped.messages
    );
    let run = gate.project.run("run latest --json").json();
    assert_eq!(run["status"], "canceled");
    gate.project
        .run("resume latest")
        .expect(0, &["2 materialized"]);
    let run = gate.project.run("run latest --json").json();
    assert_eq!(
        (&run["status"], &run["progress"]["succeeded"]),
        (&"succeeded".into(), &3.into())
    );
}

#[test]
fn ctrl_c_twice_abandons_running_items() {
    let gate = Gate::new();
    let child = gate.start_run("materialize -s gated -j 1");
    interrupt_process(&child);
    thread::sleep(Duration::from_millis(200));
    interrupt_process(&child);
    // The gate is still closed.
    Answer::wait_for(child).expect(1, &["stopping:", "was stopped: 0 materialized", "3 left"]);
    gate.open_gate();
    gate.project
        .run("resume latest")
        .expect(0, &["3 materialized"]);
}

#[test]
fn a_canceling_run_that_is_killed_can_be_resumed() {
    let gate = Gate::new();
    let mut child = gate.start_run("materialize -s gated -j 1");
    gate.project.run("cancel latest").expect(0, &[]);
    child.kill().unwrap();
    child.wait().unwrap();
    gate.open_gate();
    gate.project
        .run("resume latest")
        .expect(0, &["3 materialized"]);
    let run = gate.project.run("run latest --json").json();
    assert_eq!(run["status"], "succeeded");
}
