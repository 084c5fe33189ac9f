//! Invalid command lines and invalid definitions.

use precip_tests::Project;

use crate::{FLIGHTS, WORKSHOP};

/// Checks that a command line is refused with these messages, and records no run.
#[track_caller]
fn assert_refused(arguments: &str, messages: &[&str]) {
    let project = Project::flights_sample(FLIGHTS);
    let answer = project.run(arguments).expect(2, messages);
    assert_eq!(answer.out, "", "only data goes to stdout");
    let runs = project.run("runs --json").expect(0, &[]).json();
    assert_eq!(
        runs,
        serde_json::json!([]),
        "a refused command records no run"
    );
}

#[test]
fn unknown_assets() {
    let messages = ["there is no asset `flihgts`", "did you mean `flights`?"];
    assert_refused("asset flihgts", &messages);
    assert_refused("show carier_month", &["did you mean `carrier_month`"]);
    assert_refused("materialize -s flihgts", &["`flihgts`", "`flights`"]);
    assert_refused("show x", &["`assets` lists the assets"]);
}

#[test]
fn invalid_selections() {
    let answer = Project::flights_sample(FLIGHTS).run("plan -s flights+and");
    assert_eq!(answer.code, Some(2), "{answer:?}");
    let lines: Vec<&str> = answer.messages.lines().collect();
    assert!(lines[0].starts_with("error: "), "{answer:?}");
    assert_eq!(lines[1], "  flights+and");
    assert!(lines[2].trim_start().starts_with('^'), "{answer:?}");
}

#[test]
fn unknown_environments() {
    for command in ["assets", "plan -s flights -p all", "materialize -s flights"] {
        let messages = ["`nope`", "`local`"];
        assert_refused(&format!("{command} --env nope"), &messages);
    }
}

#[test]
fn invalid_times() {
    assert_refused("assets --now yesterday", &["2013-02-01T06:30:00Z"]);
}

#[test]
fn unknown_partitions() {
    let outside = "materialize -s flights -p 2012-12-31";
    assert_refused(outside, &["`2012-12-31`", "2013-01-01"]);
    assert_refused(
        "materialize -s flights -p 2014-01-01",
        &["`2014-01-01`", "2013-12-31"],
    );
    assert_refused(
        "materialize -s flights -p 2013-1-1",
        &["`2013-1-1`", "2013-01-01"],
    );
    assert_refused(
        "materialize -s carrier_month -p january",
        &["`january`", "2013-01"],
    );
    assert_refused(
        "materialize -s flights -p 2013-01-05...2013-01-02",
        &["write the earlier key first"],
    );
    assert_refused(
        "materialize -s flights -p 2013-01-05...",
        &["has only one end"],
    );
    assert_refused(
        "materialize -s airlines -p 2013-01-01",
        &["none of the selected assets is partitioned"],
    );
    assert_refused("show departures --partition 2013-01-01|XYZ", &["XYZ"]);
}

#[test]
fn unmaterialized_partitions() {
    assert_refused(
        "show flights",
        &["asset `flights` is partitioned", "--partition 2013-12-31"],
    );
    assert_refused(
        "show airlines --partition a",
        &[
            "asset `airlines` is not partitioned",
            "leave `--partition` out",
        ],
    );
    let messages = ["is not materialized", "`partitions flights` lists what is"];
    assert_refused("show flights --partition 2013-01-01", &messages);
}

#[test]
fn unknown_runs_and_options() {
    assert_refused("run latest", &["there is no run `latest`"]);
    assert_refused(
        "resume 01ARZ3NDEKTSV4RRFFQ69G5FAV",
        &["`01ARZ3NDEKTSV4RRFFQ69G5FAV`"],
    );
    assert_refused(
        "materialise",
        &["unrecognized subcommand 'materialise'", "materialize"],
    );
    assert_refused(
        "materialize -s airlines --tag x",
        &["`x` is not a tag", "--tag KEY=VALUE"],
    );
    assert_refused(
        "materialize -s airlines --env staging",
        &["there is no environment `staging`", "`local`"],
    );
    assert_refused("materialize -j 0", &["--concurrency"]);
}

#[test]
fn config_of_the_wrong_type() {
    let project = Project::new(WORKSHOP);
    let run_with = |config: &str| {
        let command = ["materialize", "-s", "tuned", "--config-json", config];
        precip_tests::Answer::from(project.command(command).output().unwrap())
    };
    let messages = ["speed", "invalid type: string \"fast\", expected u32"];
    run_with(r#"{"tuned": {"speed": "fast"}}"#).expect(2, &messages);
    run_with(r#"{"tunde": {"speed": 1}}"#).expect(2, &["`tunde`", "`tuned`"]);
    run_with("{").expect(
        2,
        &[
            "`--config-json` is not JSON",
            "write an object with an entry for each op",
        ],
    );
    let runs = project.run("runs --json").json();
    assert_eq!(runs, serde_json::json!([]));
    run_with(r#"{"tuned": {"speed": 3}}"#).expect(0, &["1 materialized"]);
}

#[test]
fn missing_settings() {
    let mut project = Project::new(WORKSHOP);
    let command = "materialize -s remote";
    project
        .run(command)
        .expect(4, &["`WORKSHOP_DEPOT`", "`depot`"]);
    assert_eq!(project.run("runs --json").json(), serde_json::json!([]));
    let doctor = project.run("doctor").expect(4, &[]);
    assert!(doctor.out.contains("WORKSHOP_DEPOT"), "{doctor:?}");
    project.set_variable("WORKSHOP_DEPOT", "north");
    project.run(command).expect(0, &["1 materialized"]);
    project.run("doctor").expect(0, &[]);
}

#[test]
fn invalid_definitions() {
    let assert_invalid = |mode: &str, messages: &[&str]| {
        let project = Project::new(WORKSHOP).with_variable("WORKSHOP_DEFINITIONS", mode);
        project.run("assets").expect(3, messages);
        project.run("materialize").expect(3, messages);
        project.run("--help").expect(0, &[]);
        assert!(!project.home().exists());
    };
    assert_invalid(
        "cycle",
        &[
            "the definitions have a problem",
            "in a cycle: egg <- hen <- egg",
            "fixtures/workshop.rs:",
        ],
    );
    assert_invalid(
        "duplicate",
        &[
            "`steel`",
            "is declared",
            "rename one of them",
            "fixtures/workshop.rs:",
        ],
    );
    assert_invalid(
        "unprovided",
        &["takes resource `depo`", "did you mean `depot`?"],
    );
}

/// Commands that need only the project work without the feature, whatever the target.
#[cfg(not(feature = "aws"))]
#[test]
fn deployments_need_the_feature_aws() {
    let messages = [
        "was built without AWS",
        "`cargo run --features aws -- ..`",
        "PRECIP_ON",
    ];
    let mut project = Project::flights_sample(FLIGHTS);
    project.run("--on aws runs").expect(4, &messages);
    project.set_variable("PRECIP_ON", "aws");
    project.run("runs").expect(4, &messages);
    project.run("describe").expect(0, &[]);
    project.run("--on local runs").expect(0, &[]);
}
