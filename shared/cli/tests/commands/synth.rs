//! `synth`: written files, and the differences of files that were edited by hand.

use std::fs;

use insta::assert_snapshot;
use precip_cli::testing::Exit;
use tempfile::TempDir;

use crate::world::{World, stable_snapshots};

/// A folder for generated files.
struct OutputFolder(TempDir);

impl OutputFolder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn synth_arguments<'a>(&'a self, more: &[&'a str]) -> Vec<&'a str> {
        let out = self.0.path().to_str().unwrap();
        [&["--code", "/zips", "--out", out], more].concat()
    }

    fn read_file(&self, file: &str) -> String {
        fs::read_to_string(self.0.path().join(file)).unwrap()
    }

    fn replace_in_file(&self, file: &str, piece: &str, by: &str) {
        let text = self.read_file(file);
        assert!(text.contains(piece));
        fs::write(self.0.path().join(file), text.replacen(piece, by, 1)).unwrap();
    }
}

/// Replaces the test's folder in a text.
fn without_folder(text: &str, out: &OutputFolder) -> String {
    text.replace(out.0.path().to_str().unwrap(), "[out]")
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_written_once_and_then_unchanged() {
    let _stable = stable_snapshots();
    let (world, out) = (World::new().await, OutputFolder::new());
    let written = world.output_of("synth", &out.synth_arguments(&[])).await;
    assert_snapshot!("synth", without_folder(&written, &out));
    assert!(
        out.read_file("template.yaml")
            .contains("arn:${AWS::Partition}")
    );
    assert!(
        out.read_file("statemachine/trips.asl.json")
            .contains("${PlannerArn}")
    );
    assert_eq!(
        world.output_of("synth", &out.synth_arguments(&[])).await,
        ""
    );
    assert_eq!(
        world
            .output_of("synth", &out.synth_arguments(&["--check"]))
            .await,
        ""
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn edited_files_are_shown_and_restored() {
    let _stable = stable_snapshots();
    let (world, out) = (World::new().await, OutputFolder::new());
    world.output_of("synth", &out.synth_arguments(&[])).await;
    out.replace_in_file("template.yaml", "MemorySize: 1024", "MemorySize: 2048");
    // A state machine that an earlier version generated, and a file of someone else.
    let old = out.0.path().join("statemachine/gone.asl.json");
    fs::write(&old, "{}\n").unwrap();
    fs::write(out.0.path().join("notes.md"), "mine").unwrap();

    let mut shown = Vec::new();
    let check = out.synth_arguments(&["--check"]);
    let failure = world
        .run_command("synth", &check, &mut shown)
        .await
        .unwrap_err();
    assert_eq!(failure.exit, Exit::RunFailed);
    assert_eq!(
        failure.message,
        "2 files are not what the definitions generate"
    );
    let drift = without_folder(&String::from_utf8(shown).unwrap(), &out);
    insta::with_settings!({ filters => vec![(r"@@ .* @@", "@@ [lines] @@")] }, {
        assert_snapshot!("synth_drift", drift);
    });

    let written = world.output_of("synth", &out.synth_arguments(&[])).await;
    assert_eq!(without_folder(&written, &out), "[out]/template.yaml\n");
    assert!(
        !old.exists(),
        "a machine that is no longer generated is removed"
    );
    assert!(out.0.path().join("notes.md").exists(), "other files stay");
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_files_are_drift_too() {
    let (world, out) = (World::new().await, OutputFolder::new());
    let refused = world
        .failure_of("synth", &out.synth_arguments(&["--check"]))
        .await;
    assert!(
        refused.starts_with("exit 1\nerror: 4 files are not what the definitions generate\n"),
        "{refused}"
    );
    assert!(
        fs::read_dir(out.0.path()).unwrap().next().is_none(),
        "nothing is written"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_chosen_environment_is_deployed() {
    let (mut world, out) = (World::new().await, OutputFolder::new());
    world.session.environment = Some("prod".to_owned());
    world.output_of("synth", &out.synth_arguments(&[])).await;
    let template = out.read_file("template.yaml");
    assert!(template.contains("PRECIP_ENV: \"prod\""));
    assert!(template.contains("FARES_HOST: !Ref FaresHost"));
    assert!(template.contains("secret:trips/token-??????"));
    world.session.environment = Some("production".to_owned());
    let refused = world.failure_of("synth", &out.synth_arguments(&[])).await;
    assert_eq!(
        refused,
        "exit 3\nerror: there is no environment `production`: use `local` or `prod`\n"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_given_name_replaces_that_of_the_crate() {
    let (world, out) = (World::new().await, OutputFolder::new());
    let arguments = out.synth_arguments(&["--project", "rides"]);
    world.output_of("synth", &arguments).await;
    assert!(
        out.read_file("statemachine/rides.asl.json")
            .contains("${PlannerArn}")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_name_is_asked_for() {
    let (mut world, out) = (World::new().await, OutputFolder::new());
    world.session.project = None;
    let refused = world.failure_of("synth", &out.synth_arguments(&[])).await;
    assert!(
        refused.starts_with("exit 2\nerror: the project's name is unknown\n"),
        "{refused}"
    );
    assert!(refused.contains("`--project NAME`"), "{refused}");
}
