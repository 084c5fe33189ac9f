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
        let at = file.display().to_string();
        Self {
            project: project.with_variable("WORKSHOP_GATE", at),
            file,
        }
    }

    /// Starts a run, and answers once it waits at the gate.
    pub(crate) fn start(&self, arguments: &str) -> Child {
        let entered = self.file.with_extension("entered");
        let mut child = self.project.start(arguments);
        let deadline = Instant::now() + Duration::from_secs(60);
        while !entered.exists() {
            assert!(
                child.try_wait().unwrap().is_none(),
                "{:?}",
                Answer::wait_for(child)
            );
            assert!(Instant::now() < deadline, "the run does not begin");
            thread::sleep(Duration::from_millis(5));
        }
        child
    }

    pub(crate) fn open(&self) {
        fs::write(&self.file, "").unwrap();
    }
}

#[test]
fn ctrl_c_lets_what_is_running_come_to_its_end() {
    let gate = Gate::new();
    let child = gate.start("materialize -s gated -j 1");
    interrupt_process(&child);
    // The signal is on its way before the gate opens; the answer shows that it was heard.
    thread::sleep(Duration::from_millis(200));
    gate.open();
    let stopped =
        Answer::wait_for(child).expect(1, &["stopping:", "was stopped: 1 materialized", "2 left"]);
    assert!(stopped.said.contains("resumes it"), "{}", stopped.said);
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
fn ctrl_c_twice_does_not_wait_for_what_is_running() {
    let gate = Gate::new();
    let child = gate.start("materialize -s gated -j 1");
    interrupt_process(&child);
    thread::sleep(Duration::from_millis(200));
    interrupt_process(&child);
    // The gate is still shut.
    Answer::wait_for(child).expect(1, &["stopping:", "was stopped: 0 materialized", "3 left"]);
    gate.open();
    gate.project
        .run("resume latest")
        .expect(0, &["3 materialized"]);
}

#[test]
fn a_run_that_was_asked_to_stop_and_killed_can_be_taken_up_again() {
    let gate = Gate::new();
    let mut child = gate.start("materialize -s gated -j 1");
    gate.project.run("cancel latest").expect(0, &[]);
    child.kill().unwrap();
    child.wait().unwrap();
    gate.open();
    gate.project
        .run("resume latest")
        .expect(0, &["3 materialized"]);
    let run = gate.project.run("run latest --json").json();
    assert_eq!(run["status"], "succeeded");
}
