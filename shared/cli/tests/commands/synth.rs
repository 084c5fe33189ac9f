//! `synth`: what is written, and what is said of what was changed by hand.

use std::fs;

use insta::assert_snapshot;
use precip_cli::exit::Exit;
use tempfile::TempDir;

use crate::world::{World, stable};

struct Out(TempDir);

impl Out {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn arguments<'a>(&'a self, more: &[&'a str]) -> Vec<&'a str> {
        let out = self.0.path().to_str().unwrap();
        [
            &["--project", "trips", "--code", "/zips", "--out", out],
            more,
        ]
        .concat()
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.0.path().join(file)).unwrap()
    }

    fn change(&self, file: &str, piece: &str, by: &str) {
        let text = self.read(file);
        assert!(text.contains(piece));
        fs::write(self.0.path().join(file), text.replacen(piece, by, 1)).unwrap();
    }
}

/// Leaves the folder of the test out of what was said.
fn plain(said: &str, out: &Out) -> String {
    said.replace(out.0.path().to_str().unwrap(), "[out]")
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_written_once_and_then_is_as_it_was() {
    let _stable = stable();
    let (world, out) = (World::new().await, Out::new());
    let written = world.prints("synth", &out.arguments(&[])).await;
    assert_snapshot!("synth", plain(&written, &out));
    assert!(out.read("template.yaml").contains("arn:${AWS::Partition}"));
    assert!(
        out.read("statemachine/trips.asl.json")
            .contains("${PlannerArn}")
    );
    assert_eq!(world.prints("synth", &out.arguments(&[])).await, "");
    assert_eq!(
        world.prints("synth", &out.arguments(&["--check"])).await,
        ""
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_changed_by_hand_is_shown_and_put_right() {
    let _stable = stable();
    let (world, out) = (World::new().await, Out::new());
    world.prints("synth", &out.arguments(&[])).await;
    out.change("template.yaml", "MemorySize: 1024", "MemorySize: 2048");
    let old = out.0.path().join("statemachine/gone.asl.json");
    fs::write(&old, "{}\n").unwrap();
    fs::write(out.0.path().join("notes.md"), "mine").unwrap();

    let mut shown = Vec::new();
    let check = out.arguments(&["--check"]);
    let failure = world.run("synth", &check, &mut shown).await.unwrap_err();
    assert_eq!(failure.exit, Exit::RunFailed);
    assert_eq!(failure.message, "2 files are not what the definitions give");
    assert_snapshot!(
        "synth_drift",
        plain(&String::from_utf8(shown).unwrap(), &out)
    );

    let written = world.prints("synth", &out.arguments(&[])).await;
    assert_eq!(plain(&written, &out), "[out]/template.yaml\n");
    assert!(
        !old.exists(),
        "a machine that is not generated any more is taken away"
    );
    assert!(
        out.0.path().join("notes.md").exists(),
        "what is not generated stays"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_drift_too() {
    let (world, out) = (World::new().await, Out::new());
    let refused = world.refuses("synth", &out.arguments(&["--check"])).await;
    assert!(
        refused.starts_with("exit 1\nerror: 4 files are not what the definitions give\n"),
        "{refused}"
    );
    assert!(
        fs::read_dir(out.0.path()).unwrap().next().is_none(),
        "nothing is written"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_environment_that_is_named_is_the_one_that_is_deployed() {
    let (mut world, out) = (World::new().await, Out::new());
    world.session.environment = Some("prod".to_owned());
    world.prints("synth", &out.arguments(&[])).await;
    let template = out.read("template.yaml");
    assert!(template.contains("PRECIP_ENV: \"prod\""));
    assert!(template.contains("FARES_HOST: !Ref FaresHost"));
    assert!(template.contains("secret:trips/token-??????"));
    world.session.environment = Some("production".to_owned());
    let refused = world.refuses("synth", &out.arguments(&[])).await;
    assert_eq!(
        refused,
        "exit 3\nerror: there is no environment `production`: use `local` or `prod`\n"
    );
}
