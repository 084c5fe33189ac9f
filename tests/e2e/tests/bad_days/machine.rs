//! Failing machines: missing permissions, a full disk, damaged files.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

use precip_tests::{Answer, Project, split_words};
use serde_json::json;

use crate::{FLIGHTS, WORKSHOP};

/// Returns a command that runs another command.
fn wrapper_command(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

/// Runs the program without root's right to write everywhere.
fn run_unprivileged(project: &Project, arguments: &str) -> Answer {
    let drop = ["--bounding-set=-dac_override", "--inh-caps=-dac_override"];
    let restricted = wrapper_command("setpriv", &drop).arg("true").output();
    let mut command = match restricted {
        Ok(output) if output.status.success() => {
            let mut command = wrapper_command("setpriv", &drop);
            command.arg(project.program());
            command
        }
        // Only root can drop the capability, and others do not have it.
        _ => Command::new(project.program()),
    };
    let output = project
        .prepare_command(command.args(split_words(arguments)))
        .output();
    Answer::from(output.unwrap())
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_read_only_folder() {
    let project = Project::new(WORKSHOP);
    set_mode(project.folder(), 0o555);
    let messages = ["home`: give your user the right to write in the folder above it"];
    run_unprivileged(&project, "materialize -s flaky").expect(4, &messages);
    // Commands that only read need no home.
    run_unprivileged(&project, "assets").expect(0, &[]);
    set_mode(project.folder(), 0o755);
    project.run("materialize -s flaky").expect(0, &[]);
}

#[test]
fn a_home_that_became_read_only() {
    let project = Project::new(WORKSHOP);
    project.run("materialize -s flaky").expect(0, &[]);
    set_mode(&project.home(), 0o555);
    set_mode(&project.home().join("state.db"), 0o444);
    let messages = ["state.db` cannot be written: give your user the right to write in"];
    run_unprivileged(&project, "materialize -s steel").expect(4, &messages);
    set_mode(&project.home(), 0o755);
    set_mode(&project.home().join("state.db"), 0o644);
    project
        .run("materialize -s steel")
        .expect(0, &["3 materialized"]);
}

#[test]
fn a_read_only_data_folder() {
    let project = Project::new(WORKSHOP);
    project.run("materialize -s flaky").expect(0, &[]);
    set_mode(&project.home().join("data"), 0o555);
    let messages = [
        "failed steel[a]: could not store `steel[a]`",
        "ermission denied",
        "0 materialized",
    ];
    run_unprivileged(&project, "materialize -s steel").expect(1, &messages);
    set_mode(&project.home().join("data"), 0o755);
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
fn a_damaged_database() {
    let project = Project::new(WORKSHOP);
    project.run("materialize -s flaky").expect(0, &[]);
    let file = project.home().join("state.db");
    fs::write(&file, "this was a database once".repeat(1_000)).unwrap();
    for journal in ["state.db-wal", "state.db-shm"] {
        let _ = fs::remove_file(project.home().join(journal));
    }
    let messages = [
        "state.db` is damaged or not a database",
        "restore it from a backup, or move it away",
    ];
    project.run("runs").expect(4, &messages);
    project.run("materialize -s flaky").expect(4, &messages);
    fs::remove_file(&file).unwrap();
    project
        .run("materialize -s flaky")
        .expect(0, &["1 materialized"]);
}

#[test]
fn removed_or_damaged_data() {
    let project = Project::new(WORKSHOP);
    project.run("materialize -s steel -p a").expect(0, &[]);
    let file = first_file_below(&project.home().join("data"));
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

fn first_file_below(folder: &Path) -> std::path::PathBuf {
    let entry = fs::read_dir(folder)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    if entry.is_dir() {
        first_file_below(&entry)
    } else {
        entry
    }
}

/// Mounts a small disk as the home, in a mount namespace of its own, fills it, and enlarges it.
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
    reason = "the log shows that the test was skipped"
)]
fn a_full_disk() {
    let project = Project::new(WORKSHOP);
    fs::create_dir(project.home()).unwrap();
    let mut command = wrapper_command(
        "unshare",
        &["--map-root-user", "--mount", "sh", "-c", FULL_DISK, "sh"],
    );
    let output = project
        .prepare_command(command.arg(project.program()))
        .output();
    let Some(output) = output.ok().filter(|output| {
        !matches!(output.status.code(), Some(99)) && project.folder().join("first").exists()
    }) else {
        eprintln!("SKIPPED: this machine does not permit mounting a small disk");
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
    // A partition is either complete or not there at all, and the record knows which.
    let mut published = 0;
    for row in partitions.as_array().unwrap() {
        let shown = read(&format!("shown.{}", row["partition"].as_str().unwrap()));
        let whole = shown.lines().count() == 40_001;
        assert_eq!(whole, row["status"] == "materialized", "{row}");
        assert!(whole || shown.is_empty(), "{row}: a part of it is visible");
        published += usize::from(whole);
    }
    assert!(
        (1..8).contains(&published),
        "the disk has to be full during the run, not after {published}"
    );
    assert_eq!(read("second.code").trim(), "0", "{}", read("second"));
    let run: serde_json::Value = serde_json::from_str(&read("run")).unwrap();
    assert_eq!(
        (&run["status"], &run["progress"]["succeeded"]),
        (&json!("succeeded"), &json!(8))
    );
    for number in 1..=8 {
        assert_eq!(read(&format!("after.c{number}")).lines().count(), 40_001);
    }
}

#[test]
fn a_closed_pipe() {
    let project = Project::flights_sample(FLIGHTS);
    let command = format!(
        "'{}' partitions flights | head -n 1",
        project.program().display()
    );
    let mut shell = wrapper_command("bash", &["-o", "pipefail", "-c", &command]);
    let answer = Answer::from(project.prepare_command(&mut shell).output().unwrap());
    assert_eq!(answer.messages, "", "a closed pipe is not an error");
}

/// Returns everything below a folder.
fn entries_below(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(entries_below(&path));
        }
        found.push(path);
    }
    found
}

#[test]
fn a_home_that_only_its_owner_can_read() {
    let project = Project::new(WORKSHOP);
    project.run("materialize -s steel").expect(0, &[]);
    let assert_private = |when: &str| {
        for path in entries_below(&project.home())
            .into_iter()
            .chain([project.home()])
        {
            let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
            let expected = if path.is_dir() { 0o700 } else { 0o600 };
            assert_eq!(mode, expected, "{when}: {}", path.display());
        }
    };
    assert_private("new");
    for path in entries_below(&project.home())
        .into_iter()
        .chain([project.home()])
    {
        set_mode(&path, if path.is_dir() { 0o755 } else { 0o644 });
    }
    // A command that only reads closes an old home, too.
    project.run("assets").expect(0, &[]);
    assert_private("old");
}

#[test]
fn a_read_only_home_can_be_read() {
    let project = Project::new(WORKSHOP);
    project.run("materialize -s steel").expect(0, &[]);
    let commands = [
        "assets",
        "runs",
        "run latest --json",
        "partitions steel",
        "show steel -p a",
    ];
    let expected = commands.map(|command| project.run(command).out);
    for path in entries_below(&project.home())
        .into_iter()
        .chain([project.home()])
    {
        set_mode(&path, if path.is_dir() { 0o500 } else { 0o400 });
    }
    for (command, expected) in commands.iter().zip(expected) {
        let read = run_unprivileged(&project, command).expect(0, &[]);
        assert_eq!(read.out, expected, "{command}: {}", read.messages);
    }
    run_unprivileged(&project, "materialize -s flaky").expect(4, &["cannot be written"]);
    for path in entries_below(&project.home())
        .into_iter()
        .chain([project.home()])
    {
        set_mode(&path, if path.is_dir() { 0o700 } else { 0o600 });
    }
}

#[test]
#[expect(
    clippy::print_stderr,
    reason = "the log shows that the test was skipped"
)]
fn a_home_of_another_user() {
    let project = Project::new(WORKSHOP);
    project.run("materialize -s steel").expect(0, &[]);
    if std::os::unix::fs::chown(project.home(), Some(54_321), None).is_err() {
        eprintln!("SKIPPED: only root can give a folder to another user");
        return;
    }
    // Without these, root has the rights of any other user.
    let dropped = "-dac_override,-dac_read_search";
    let drop = [
        format!("--bounding-set={dropped}"),
        format!("--inh-caps={dropped}"),
    ];
    for arguments in ["assets", "runs", "partitions steel", "materialize -s steel"] {
        let mut command = Command::new("setpriv");
        command.args(&drop).arg(project.program());
        let output = project
            .prepare_command(command.args(split_words(arguments)))
            .output();
        let answer = Answer::from(output.unwrap());
        // A home that cannot be read is not an empty one.
        assert_eq!(answer.out, "", "{arguments}");
        answer.expect(4, &["Permission denied", "home"]);
    }
}

#[test]
fn a_home_whose_name_is_not_utf_8() {
    use std::os::unix::ffi::OsStrExt;

    let project = Project::new(WORKSHOP);
    let name = std::ffi::OsStr::from_bytes(b"caf\xe9");
    let run = |arguments: &[&str]| {
        let mut command = project.command(arguments);
        Answer::from(command.env("PRECIP_HOME", name).output().unwrap())
    };
    run(&["materialize", "-s", "steel"]).expect(0, &["3 materialized"]);
    run(&["show", "steel", "-p", "a"]).expect(0, &[]);
    // Record and data are in the same folder.
    let folders: Vec<_> = fs::read_dir(project.folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(folders, [name]);
}

#[test]
fn a_full_or_closed_stream() {
    let project = Project::new(WORKSHOP);
    let run = |script: &str| {
        let script = script.replace("PROGRAM", &format!("'{}'", project.program().display()));
        let mut shell = wrapper_command("bash", &["-o", "pipefail", "-c", &script]);
        Answer::from(project.prepare_command(&mut shell).output().unwrap())
    };
    // Notes that are lost stop no run, and its exit code tells that they are lost.
    run("PROGRAM materialize -s steel 2>/dev/full").expect(4, &[]);
    let made = project.run("partitions steel --json").json();
    for row in made.as_array().unwrap() {
        assert_eq!(row["status"], "materialized", "{row}");
    }
    // A reader that left is no error: the command ends as others do.
    let closed = run("PROGRAM materialize -s steel -p all 2> >(exec true) >&-");
    assert_eq!(closed.code, Some(0), "{closed:?}");
    let left = run("PROGRAM runs 2>&1 | true; exit ${PIPESTATUS[0]}");
    assert_eq!(left.code, Some(0), "{left:?}");
    run("PROGRAM partitions steel >/dev/full")
        .expect(4, &["failed to write the output: No space left on device"]);
    run("PROGRAM show steel -p x 2>/dev/full").expect(2, &[]);
}

#[test]
fn a_flipped_bit_in_stored_data() {
    let project = Project::new(WORKSHOP);
    project.run("materialize -s steel -p a").expect(0, &[]);
    let file = first_file_below(&project.home().join("data"));
    let mut content = fs::read(&file).unwrap();
    let middle = content.len() / 2;
    content[middle] ^= 1;
    fs::write(&file, content).unwrap();
    let advice = "is damaged; make it again with `materialize --select steel --partitions a`";
    project.run("show steel -p a").expect(4, &[advice]);
    project
        .run("materialize -s blade -p a")
        .expect(1, &[advice]);
    project
        .run("materialize --select steel --partitions a")
        .expect(0, &[]);
    project.run("show steel -p a").expect(0, &[]);
}

#[test]
fn an_age_beyond_all_time() {
    let project = Project::new(WORKSHOP);
    project.run("materialize -s steel").expect(0, &[]);
    for age in ["200000y", "290000000y"] {
        let arguments = format!("gc --older-than {age} --keep-history {age}");
        project.run(&arguments).expect(0, &["nothing to remove"]);
    }
}

#[test]
fn the_history_of_a_home_has_an_end() {
    let project = Project::new(WORKSHOP);
    for _ in 0..3 {
        project.run("materialize -s steel -p all").expect(0, &[]);
    }
    let shown = project.run("show steel -p a").out;
    let listed = project
        .run("gc --keep-history 0s")
        .expect(0, &["history: 3 plans, "]);
    assert!(
        listed.messages.contains("nothing was removed"),
        "{}",
        listed.messages
    );
    assert_eq!(
        fs::read_dir(project.home().join("runs")).unwrap().count(),
        3
    );
    project.run("gc").expect(0, &["nothing to remove"]);
    project
        .run("gc --keep-history 0s --delete")
        .expect(0, &["history: 3 plans, ", "removed"]);
    assert_eq!(
        fs::read_dir(project.home().join("runs")).unwrap().count(),
        0
    );
    // Runs, statuses and data are as before.
    assert_eq!(project.run("show steel -p a").out, shown);
    assert_eq!(
        project.run("runs --json").json().as_array().unwrap().len(),
        3
    );
    project
        .run("gc --keep-history 0s")
        .expect(0, &["nothing to remove"]);
}
