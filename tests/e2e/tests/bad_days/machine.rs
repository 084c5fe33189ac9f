//! A machine that does not do as it should: no rights, no room, a damaged file.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

use precip_tests::{Answer, Project, split_words};
use serde_json::json;

use crate::{FLIGHTS, WORKSHOP};

/// A program under which another one is run.
fn under(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

/// Runs the project's program without the right to write wherever it likes, which root has.
fn as_one_of_many(project: &Project, arguments: &str) -> Answer {
    let drop = ["--bounding-set=-dac_override", "--inh-caps=-dac_override"];
    let restricted = under("setpriv", &drop).arg("true").output();
    let mut command = match restricted {
        Ok(output) if output.status.success() => {
            let mut command = under("setpriv", &drop);
            command.arg(project.program());
            command
        }
        // Only root can give the right up, and only root has it.
        _ => Command::new(project.program()),
    };
    let output = project
        .prepare_command(command.args(split_words(arguments)))
        .output();
    Answer::from(output.unwrap())
}

fn allow(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_folder_that_may_not_be_written() {
    let project = Project::new(WORKSHOP);
    allow(project.folder(), 0o555);
    let said = ["home`: give your user the right to write in the folder above it"];
    as_one_of_many(&project, "materialize -s flaky").expect(4, &said);
    // What only reads needs no home.
    as_one_of_many(&project, "assets").expect(0, &[]);
    allow(project.folder(), 0o755);
    project.run("materialize -s flaky").expect(0, &[]);
}

#[test]
fn a_home_that_may_not_be_written_any_more() {
    let project = Project::new(WORKSHOP);
    project.run("materialize -s flaky").expect(0, &[]);
    allow(&project.home(), 0o555);
    allow(&project.home().join("state.db"), 0o444);
    let said = ["state.db` cannot be written: give your user the right to write in"];
    as_one_of_many(&project, "materialize -s steel").expect(4, &said);
    allow(&project.home(), 0o755);
    allow(&project.home().join("state.db"), 0o644);
    project
        .run("materialize -s steel")
        .expect(0, &["3 materialized"]);
}

#[test]
fn a_data_folder_that_may_not_be_written() {
    let project = Project::new(WORKSHOP);
    project.run("materialize -s flaky").expect(0, &[]);
    allow(&project.home().join("data"), 0o555);
    let said = [
        "failed steel[a]: could not store `steel[a]`",
        "ermission denied",
        "0 materialized",
    ];
    as_one_of_many(&project, "materialize -s steel").expect(1, &said);
    allow(&project.home().join("data"), 0o755);
    project.run("resume latest").expect(0, &["3 materialized"]);
}

#[test]
fn a_home_that_is_a_file() {
    let project = Project::new(WORKSHOP);
    fs::write(project.home(), "").unwrap();
    project
        .run("materialize -s flaky")
        .expect(4, &["is a file, and the home has to be a folder"]);
}

#[test]
fn a_damaged_record() {
    let project = Project::new(WORKSHOP);
    project.run("materialize -s flaky").expect(0, &[]);
    let file = project.home().join("state.db");
    fs::write(&file, "this was a database once".repeat(1_000)).unwrap();
    for journal in ["state.db-wal", "state.db-shm"] {
        let _ = fs::remove_file(project.home().join(journal));
    }
    let said = [
        "state.db` is damaged or not a database",
        "restore it from a backup, or move it away",
    ];
    project.run("runs").expect(4, &said);
    project.run("materialize -s flaky").expect(4, &said);
    fs::remove_file(&file).unwrap();
    project
        .run("materialize -s flaky")
        .expect(0, &["1 materialized"]);
}

#[test]
fn data_that_is_gone_or_damaged() {
    let project = Project::new(WORKSHOP);
    project.run("materialize -s steel -p a").expect(0, &[]);
    let file = file_of(&project.home().join("data"));
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    let broken = project.run("show steel -p a");
    assert_eq!(broken.code, Some(4), "{broken:?}");
    fs::remove_file(&file).unwrap();
    project
        .run("show steel -p a")
        .expect(4, &["nothing is stored at"]);
    project
        .run("materialize -s blade -p a")
        .expect(1, &["could not load `steel[a]`"]);
    project
        .run("materialize -s 'key:steel or key:blade' -p a")
        .expect(0, &["2 materialized"]);
}

fn file_of(folder: &Path) -> std::path::PathBuf {
    let entry = fs::read_dir(folder)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    if entry.is_dir() {
        file_of(&entry)
    } else {
        entry
    }
}

/// Mounts a small disk as the home, where nobody else sees it, fills it, and makes room again.
const FULL_DISK: &str = r#"
mount -t tmpfs -o size=1200k none "$PRECIP_HOME" || exit 99
"$1" materialize -s cargo -j 1 2>first; echo $? >first.code
"$1" partitions cargo --json >partitions
for c in $(seq 8); do "$1" show cargo -p c$c --format csv >shown.c$c 2>/dev/null; done
mount -o remount,size=8m "$PRECIP_HOME"
"$1" resume latest 2>second; echo $? >second.code
"$1" run latest --json >run
for c in $(seq 8); do "$1" show cargo -p c$c --format csv >after.c$c; done
"#;

#[test]
#[expect(
    clippy::print_stderr,
    reason = "whoever reads the log sees that nothing was tested"
)]
fn a_disk_that_is_full() {
    let project = Project::new(WORKSHOP);
    fs::create_dir(project.home()).unwrap();
    let mut command = under(
        "unshare",
        &["--map-root-user", "--mount", "sh", "-c", FULL_DISK, "sh"],
    );
    let output = project
        .prepare_command(command.arg(project.program()))
        .output();
    let Some(output) = output.ok().filter(|output| {
        !matches!(output.status.code(), Some(99)) && project.folder().join("first").exists()
    }) else {
        eprintln!("SKIPPED: this machine lets nobody mount a small disk, so none was filled");
        return;
    };
    assert!(output.status.success(), "{output:?}");
    let read = |name: &str| fs::read_to_string(project.folder().join(name)).unwrap();
    let first = read("first");
    assert!(["1", "4"].contains(&read("first.code").trim()), "{first}");
    assert!(
        first.contains("No space left on device") || first.contains("there is no room left"),
        "{first}"
    );
    let partitions: serde_json::Value = serde_json::from_str(&read("partitions")).unwrap();
    let mut made = 0;
    for row in partitions.as_array().unwrap() {
        let shown = read(&format!("shown.{}", row["partition"].as_str().unwrap()));
        let whole = shown.lines().count() == 40_001;
        assert_eq!(whole, row["status"] == "materialized", "{row}");
        assert!(whole || shown.is_empty(), "{row}: half of it is seen");
        made += usize::from(whole);
    }
    assert!(
        (1..8).contains(&made),
        "the disk was to be full on the way, after {made}"
    );
    assert_eq!(read("second.code").trim(), "0", "{}", read("second"));
    let run: serde_json::Value = serde_json::from_str(&read("run")).unwrap();
    assert_eq!(
        (&run["status"], &run["progress"]["succeeded"]),
        (&json!("succeeded"), &json!(8))
    );
    for place in 1..=8 {
        assert_eq!(read(&format!("after.c{place}")).lines().count(), 40_001);
    }
}

#[test]
fn a_pipe_that_is_closed() {
    let project = Project::flights_sample(FLIGHTS);
    let command = format!(
        "'{}' partitions flights | head -n 1",
        project.program().display()
    );
    let mut shell = under("bash", &["-o", "pipefail", "-c", &command]);
    let answer = Answer::from(project.prepare_command(&mut shell).output().unwrap());
    assert_eq!(answer.said, "", "nobody is told that nobody listens");
}
