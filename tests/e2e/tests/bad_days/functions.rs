//! Functions that panic, fail, hang or find nothing to read.

use std::fs;

use precip_tests::{Project, landing_folder};
use serde_json::json;

use crate::{FLIGHTS, WORKSHOP};

#[test]
fn a_panic_holds_back_what_depends_on_it_and_retry_makes_the_rest() {
    let mut project = Project::new(WORKSHOP).with_variable("WORKSHOP_PANIC", "b");
    let said = [
        "failed steel[b]",
        "the press is stuck at b",
        "6 materialized",
        "1 failed, 2 held back",
    ];
    project.run("materialize -s key:steel+").expect(1, &said);
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

    project
        .run("retry latest")
        .expect(1, &["failed steel[b]", "0 materialized"]);
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
fn a_run_that_failed_can_be_resumed_as_well() {
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
fn a_function_is_tried_again_as_often_as_its_policy_says() {
    let project = Project::new(WORKSHOP).with_variable("WORKSHOP_FLAKY", "2");
    let said = [
        "attempt 1 failed: no answer to attempt 1",
        "attempt 2 failed",
        "1 materialized",
    ];
    project.run("materialize -s flaky").expect(0, &said);

    let project = Project::new(WORKSHOP).with_variable("WORKSHOP_FLAKY", "3");
    let said = [
        "failed flaky: no answer to attempt 3",
        "0 materialized",
        "1 failed",
    ];
    project.run("materialize -s flaky").expect(1, &said);
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
fn a_function_that_never_answers_is_given_up_on() {
    for asset in ["waiting", "stuck"] {
        let project = Project::new(WORKSHOP);
        let said = ["not done after 1 s", "1 failed"];
        project
            .run(&format!("materialize -s {asset}"))
            .expect(1, &said);
        let run = project.run("run latest --json").json();
        assert_eq!(run["failures"][0]["kind"], "Precip.Timeout");
    }
}

#[test]
fn what_was_never_made_cannot_be_an_input() {
    let project = Project::new(WORKSHOP);
    let said = [
        "failed blade[a]",
        "`steel[a]` was never materialized",
        "select `steel` as well",
    ];
    project.run("materialize -s blade -p a").expect(1, &said);
    project
        .run("materialize -s 'key:steel or key:blade' -p a")
        .expect(0, &["2 materialized"]);
}

#[test]
fn a_landing_file_that_was_not_dropped() {
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
    let place = folder.path().display().to_string();
    let project = Project::new(FLIGHTS).with_variable("FLIGHTS_LANDING", place);
    let command = "materialize -s flights -p 2013-01-01...2013-01-02";
    let said = [
        "failed flights[2013-01-02]",
        "there is no landing file `flights/2013-01-02.csv.gz` in `",
        "put it there, or set FLIGHTS_LANDING to the folder or bucket that has it",
        "1 materialized",
    ];
    project.run(command).expect(1, &said);
    fs::write(into.join("2013-01-02.csv.gz"), "not gzip").unwrap();
    project
        .run("retry latest")
        .expect(1, &["2013-01-02.csv.gz` cannot be parsed"]);
    copy("2013-01-02");
    project.run("retry latest").expect(0, &["1 materialized"]);
}
