//! What people type, and what projects declare.

use precip_tests::Project;

use crate::{FLIGHTS, WORKSHOP};

#[track_caller]
fn assert_refused(arguments: &str, said: &[&str]) {
    let project = Project::flights_sample(FLIGHTS);
    let answer = project.run(arguments).expect(2, said);
    assert_eq!(answer.out, "", "nothing but data goes to stdout");
    let runs = project.run("runs --json").expect(0, &[]).json();
    assert_eq!(
        runs,
        serde_json::json!([]),
        "what is refused leaves no run behind"
    );
}

#[test]
fn an_asset_that_is_not_there() {
    let said = ["there is no asset `flihgts`", "did you mean `flights`?"];
    assert_refused("asset flihgts", &said);
    assert_refused("show carier_month", &["did you mean `carrier_month`"]);
    assert_refused("materialize -s flihgts", &["`flihgts`", "`flights`"]);
    assert_refused("show x", &["`assets` lists the assets"]);
}

#[test]
fn a_selection_that_makes_no_sense() {
    let answer = Project::flights_sample(FLIGHTS).run("plan -s flights+and");
    assert_eq!(answer.code, Some(2), "{answer:?}");
    let lines: Vec<&str> = answer.said.lines().collect();
    assert!(lines[0].starts_with("error: "), "{answer:?}");
    assert_eq!(lines[1], "  flights+and");
    assert!(lines[2].trim_start().starts_with('^'), "{answer:?}");
}

#[test]
fn an_environment_that_is_not_there() {
    for command in ["assets", "plan -s flights -p all", "materialize -s flights"] {
        let said = ["`nope`", "`local`"];
        assert_refused(&format!("{command} --env nope"), &said);
    }
}

#[test]
fn a_moment_that_is_none() {
    assert_refused("assets --now yesterday", &["2013-02-01T06:30:00Z"]);
}

#[test]
fn partitions_that_are_not_there() {
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
fn show_says_what_is_missing() {
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
    let said = ["is not materialized", "`partitions flights` lists what is"];
    assert_refused("show flights --partition 2013-01-01", &said);
}

#[test]
fn runs_and_words_that_are_not_there() {
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
fn config_of_another_type() {
    let project = Project::new(WORKSHOP);
    let with = |config: &str| {
        let command = ["materialize", "-s", "tuned", "--config-json", config];
        precip_tests::Answer::from(project.command(command).output().unwrap())
    };
    let said = ["speed", "invalid type: string \"fast\", expected u32"];
    with(r#"{"tuned": {"speed": "fast"}}"#).expect(2, &said);
    with(r#"{"tunde": {"speed": 1}}"#).expect(2, &["`tunde`", "`tuned`"]);
    with("{").expect(
        2,
        &[
            "`--config-json` is not JSON",
            "write an object with an entry for each op",
        ],
    );
    let runs = project.run("runs --json").json();
    assert_eq!(runs, serde_json::json!([]));
    with(r#"{"tuned": {"speed": 3}}"#).expect(0, &["1 materialized"]);
}

#[test]
fn a_setting_that_is_missing() {
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
fn definitions_that_are_wrong() {
    let invalid = |mode: &str, said: &[&str]| {
        let project = Project::new(WORKSHOP).with_variable("WORKSHOP_DEFINITIONS", mode);
        project.run("assets").expect(3, said);
        project.run("materialize").expect(3, said);
        project.run("--help").expect(0, &[]);
        assert!(!project.home().exists());
    };
    invalid(
        "cycle",
        &[
            "the definitions have a problem",
            "in a cycle: egg <- hen <- egg",
            "fixtures/workshop.rs:",
        ],
    );
    invalid(
        "duplicate",
        &[
            "`steel`",
            "is declared",
            "rename one of them",
            "fixtures/workshop.rs:",
        ],
    );
    invalid(
        "unprovided",
        &["takes resource `depo`", "did you mean `depot`?"],
    );
}

/// This binary knows no deployments; what is about the project alone works whatever is asked for.
#[cfg(not(feature = "aws"))]
#[test]
fn a_deployment_that_the_binary_was_not_built_for() {
    let said = [
        "was built without AWS",
        "`cargo run --features aws -- ..`",
        "PRECIP_ON",
    ];
    let mut project = Project::flights_sample(FLIGHTS);
    project.run("--on aws runs").expect(4, &said);
    project.set_variable("PRECIP_ON", "aws");
    project.run("runs").expect(4, &said);
    project.run("describe").expect(0, &[]);
    project.run("--on local runs").expect(0, &[]);
}
