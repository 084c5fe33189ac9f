//! Homes on a laptop.

use std::fs;

use precip_core::plan::Plan;
use precip_tests::{
    Project,
    stored::{copy_folder, restore_database, stored_fixture},
};
use serde_json::json;

use crate::{assert_keeps, files_below, parse_whole, read_json};

/// Copies a stored home into a project's and restores its database from the dump.
fn restore_home(project: &Project, name: &str) {
    let home = project.home();
    copy_folder(&stored_fixture(name), &home).unwrap();
    restore_database(&home.join("state.sql"), &home.join("state.db")).unwrap();
}

/// Returns the workshop with its stored home: run [`FAILED`], then run [`INTERRUPTED`].
fn stored_workshop() -> Project {
    let project = Project::new(env!("CARGO_BIN_EXE_workshop"));
    restore_home(&project, "workshop");
    project
}

const FAILED: &str = "01M8QCA6AAPKK4MJ473GTRP7XP";
const INTERRUPTED: &str = "01M8QCA6BX52SH2C9XS36Q11FW";

#[test]
fn a_partial_january_is_reported_as_it_was_then() {
    let project = Project::flights_sample(env!("CARGO_BIN_EXE_flights-cli"));
    restore_home(&project, "flights");

    let runs = project.run("runs --json").expect(0, &[]).json();
    assert_keeps(&runs, &read_json("flights/runs.json"));
    let run = project.run("run latest --json").expect(0, &[]).json();
    assert_keeps(&run, &read_json("flights/run.json"));
    let checks = project.run("checks delays --json").expect(0, &[]).json();
    assert_keeps(&checks, &read_json("flights/checks.json"));

    // The statuses come from the stored bitmaps.
    let materialized = project.run("partitions delays --status materialized --json");
    let days = materialized.expect(0, &[]).json();
    assert_eq!(days.as_array().unwrap().len(), 5);
    let failed = project.run("partitions carrier_month --status failed --json");
    assert_eq!(failed.expect(0, &[]).json()[0]["partition"], "2013-01");

    // A retry plans what the run left: the month, which still lacks the days after the fifth.
    let retry = project.run("retry latest").expect(1, &[]);
    assert!(
        retry.messages.contains("carrier_month[2013-01]"),
        "{}",
        retry.messages
    );
    assert!(
        retry.messages.contains("delays[2013-01-06]"),
        "{}",
        retry.messages
    );
    let newest = &project.run("runs --json").expect(0, &[]).json()[0];
    assert_eq!(newest["plan"]["assets"], json!({"carrier_month": 1}));
}

#[test]
fn a_failed_run_is_retried() {
    let project = stored_workshop();
    let runs = project.run("runs --json").expect(0, &[]).json();
    assert_keeps(&runs, &read_json("workshop/runs.json"));

    project.run(&format!("retry {FAILED}")).expect(0, &[]);
    let retried = project.run("runs --json").expect(0, &[]).json();
    assert_eq!(retried[0]["request"]["origin"], json!({"retry_of": FAILED}));
    assert_eq!(
        retried[0]["plan"]["assets"],
        json!({"blade": 1, "knife": 1, "steel": 1})
    );
    // `a` was stored before; `b` was made from what the retry stored.
    for piece in ["a", "b"] {
        let knife = project.run(&format!("show knife --partition {piece}"));
        assert_eq!(knife.expect(0, &[]).out, "value\n3\n", "{piece}");
    }
}

#[test]
fn an_interrupted_run_is_resumed() {
    let project = stored_workshop().with_variable("WORKSHOP_DEPOT", "south");
    project.run(&format!("resume {INTERRUPTED}")).expect(0, &[]);
    let run = project
        .run(&format!("run {INTERRUPTED} --json"))
        .expect(0, &[])
        .json();
    assert_eq!(run["status"], "succeeded");
    assert_eq!(run["progress"]["succeeded"], 5);
    // It was materialized before the interruption, and is not materialized again.
    let depot = project.run("show remote").expect(0, &[]);
    assert_eq!(depot.out, "value\nnorth\n");
}

#[test]
fn stored_plans_are_read_whole() {
    let mut steps = Vec::new();
    for home in ["flights", "workshop", "machine"] {
        for path in files_below(&stored_fixture(home), ".json") {
            if !path
                .file_name()
                .unwrap()
                .to_string_lossy()
                .starts_with("plan")
            {
                continue;
            }
            let stored = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
            let plan: Plan = parse_whole(&stored);
            steps.push(plan.steps().count());
        }
    }
    assert_eq!(steps.len(), 4);
    assert!(steps.iter().all(|count| *count > 0), "{steps:?}");
}
