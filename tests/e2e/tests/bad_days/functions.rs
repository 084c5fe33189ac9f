//! Functions that panic, fail, hang or miss their input.

use std::fs;

use precip_tests::{Project, landing_folder};
use serde_json::json;

use crate::{FLIGHTS, WORKSHOP};

#[test]
fn a_retry_runs_what_a_panic_held_back() {
    let mut project = Project::new(WORKSHOP).with_variable("WORKSHOP_PANIC", "b");
    let messages = [
        "failed steel[b]",
        "the press is stuck at b",
        "6 materialized",
        "1 failed, 2 held back",
    ];
    project
        .run("materialize -s key:steel+")
        .expect(1, &messages);
    let shown = project.run("run latest").expect(0, &[]);
    for line in [
        "steel[b]: the function panicked: the press is stuck at b",
        "`steel` failed for b",
        "retry",
    ] {
        assert!(
            shown.out.contains(line),
            "`{line}` is not in:\n{}",
            shown.out
        );
    }
    let failed = project.run("run latest --json").json();
    assert_eq!(failed["status"], "failed");
    assert_eq!(failed["failures"][0]["kind"], "Precip.Panic");
    let statuses = project.run("partitions steel --json").json();
    let expected = json!([
        {"partition": "a", "status": "materialized"},
        {"partition": "b", "status": "failed"},
        {"partition": "c", "status": "materialized"},
    ]);
    assert_eq!(statuses, expected);

    // The cause is still there, so a retry fails at the same partition.
    project
        .run("retry latest")
        .expect(1, &["failed steel[b]", "0 materialized"]);
    // The first run is retried, not the newest one: it left the same three items.
    project.unset_variable("WORKSHOP_PANIC");
    let id = failed["id"].as_str().unwrap();
    project
        .run(&format!("retry {id}"))
        .expect(0, &["3 materialized"]);
    let run = project.run("run latest --json").json();
    assert_eq!(
        (&run["status"], &run["plan"]["items"]),
        (&json!("succeeded"), &json!(3))
    );
    assert_eq!(run["request"]["origin"], json!({"retry_of": id}));
    project.run("show knife -p b").expect(0, &[]);
}

#[test]
fn a_failed_run_can_be_resumed() {
    let mut project = Project::new(WORKSHOP).with_variable("WORKSHOP_PANIC", "b");
    project.run("materialize -s key:steel+").expect(1, &[]);
    project.unset_variable("WORKSHOP_PANIC");
    project.run("resume latest").expect(0, &["3 materialized"]);
    let run = project.run("run latest --json").json();
    assert_eq!(
        (&run["status"], &run["progress"]["succeeded"]),
        (&json!("succeeded"), &json!(9))
    );
}

#[test]
fn a_function_is_retried_by_its_policy() {
    let project = Project::new(WORKSHOP).with_variable("WORKSHOP_FLAKY", "2");
    let messages = [
        "attempt 1 failed: no answer to attempt 1",
        "attempt 2 failed",
        "1 materialized",
    ];
    project.run("materialize -s flaky").expect(0, &messages);

    let project = Project::new(WORKSHOP).with_variable("WORKSHOP_FLAKY", "3");
    let messages = [
        "failed flaky: no answer to attempt 3",
        "0 materialized",
        "1 failed",
    ];
    project.run("materialize -s flaky").expect(1, &messages);
    let run = project.run("run latest --json").json();
    let attempts: Vec<_> = run["failures"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| &f["attempt"])
        .collect();
    assert!(attempts.contains(&&json!(3)), "{run}");
}

#[test]
fn a_function_that_never_returns_times_out() {
    for asset in ["waiting", "stuck"] {
        let project = Project::new(WORKSHOP);
        let messages = ["not done after 1 s", "1 failed"];
        project
            .run(&format!("materialize -s {asset}"))
            .expect(1, &messages);
        let run = project.run("run latest --json").json();
        assert_eq!(run["failures"][0]["kind"], "Precip.Timeout");
    }
}

#[test]
fn an_input_that_was_never_materialized_is_an_error() {
    let project = Project::new(WORKSHOP);
    let messages = [
        "failed blade[a]",
        "`steel[a]` was never materialized",
        "select `steel` as well",
    ];
    project
        .run("materialize -s blade -p a")
        .expect(1, &messages);
    project
        .run("materialize -s 'key:steel or key:blade' -p a")
        .expect(0, &["2 materialized"]);
}

#[test]
fn a_missing_landing_file_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let into = folder.path().join("flights");
    fs::create_dir(&into).unwrap();
    let copy = |day: &str| {
        let name = format!("{day}.csv.gz");
        fs::copy(
            format!("{}/flights/{name}", landing_folder()),
            into.join(name),
        )
        .unwrap();
    };
    copy("2013-01-01");
    let landing = folder.path().display().to_string();
    let project = Project::new(FLIGHTS).with_variable("FLIGHTS_LANDING", landing);
    let command = "materialize -s flights -p 2013-01-01...2013-01-02";
    let messages = [
        "failed flights[2013-01-02]",
        "there is no landing file `flights/2013-01-02.csv.gz` in `",
        "put it there, or set FLIGHTS_LANDING to the folder or bucket that has it",
        "1 materialized",
    ];
    project.run(command).expect(1, &messages);
    fs::write(into.join("2013-01-02.csv.gz"), "not gzip").unwrap();
    project
        .run("retry latest")
        .expect(1, &["2013-01-02.csv.gz` cannot be parsed"]);
    copy("2013-01-02");
    project.run("retry latest").expect(0, &["1 materialized"]);
}
