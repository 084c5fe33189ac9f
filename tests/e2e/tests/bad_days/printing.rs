//! Functions that print: the answer stays whole, and what they print arrives.

use std::{fs::File, io::Read, os::unix::ffi::OsStrExt, path::Path, process::Stdio};

use precip_tests::{Answer, Project, split_words};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::json;

use crate::WORKSHOP;

#[track_caller]
fn expect_printed(text: &str) {
    for piece in ["a", "b", "c"] {
        for printed in [
            format!("pressing {piece}"),
            format!("oiling {piece}"),
            format!("begun {piece}"),
        ] {
            assert!(text.contains(&printed), "`{printed}` is not in:\n{text}");
        }
    }
}

#[test]
fn what_a_function_prints_is_no_part_of_the_answer() {
    let project = Project::new(WORKSHOP);
    let answer = project
        .run("materialize -s chatty --json")
        .expect(0, &["3 materialized"]);
    assert_eq!(answer.json()["materialized"], 3);
    expect_printed(&answer.messages);
    // Without `--json` there is no answer, and a file of stdout stays empty.
    let answer = project
        .run("materialize -s chatty -p all")
        .expect(0, &["3 materialized"]);
    assert_eq!(answer.out, "");
    expect_printed(&answer.messages);
    // An answer that another program reads, such as a shell.
    let shown = project.run("show chatty -p a --format json").expect(0, &[]);
    assert_eq!(shown.out.trim(), "1");
}

#[test]
fn a_function_that_prints_and_blocks_times_out() {
    for asset in ["blocking", "hoarding"] {
        let project = Project::new(WORKSHOP);
        let answer = project.run(&format!("materialize -s {asset} --json"));
        let answer = answer.expect(1, &["not done after 1 s", "1 failed"]);
        assert_eq!(answer.json()["failed"], 1);
        let run = project.run("run latest --json").json();
        assert_eq!(run["failures"][0]["kind"], "Precip.Timeout");
    }
}

/// Runs a command on a terminal, and returns what appears there, with the sequences that move the cursor.
fn run_on_terminal(project: &Project, arguments: &str) -> Answer {
    let mut terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)
        .map(File::from)
        .unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap();
    let name = Path::new(std::ffi::OsStr::from_bytes(name.to_bytes()));
    let own = || Stdio::from(File::options().read(true).write(true).open(name).unwrap());
    let mut command = project.command(split_words(arguments));
    command.env("TERM", "xterm").stdout(own()).stderr(own());
    let mut child = command.spawn().unwrap();
    // The command holds this end open, and reading ends only when it is closed everywhere.
    drop(command);
    let mut shown = Vec::new();
    let mut buffer = [0; 4096];
    // Linux reports the end of a terminal as an error.
    while let Ok(count @ 1..) = terminal.read(&mut buffer) {
        shown.extend_from_slice(&buffer[..count]);
    }
    Answer {
        code: child.wait().unwrap().code(),
        out: String::from_utf8_lossy(&shown).into_owned(),
        messages: String::new(),
    }
}

#[test]
fn what_a_function_prints_appears_above_the_progress() {
    let project = Project::new(WORKSHOP);
    let answer = run_on_terminal(&project, "materialize -s chatty --json --concurrency 1");
    let shown = &answer.out;
    assert_eq!(answer.code, Some(0), "{shown}");
    assert!(shown.contains("/3 "), "there was a bar:\n{shown}");
    // With one partition at a time, a line that was begun is ended by the next partition's.
    for line in [
        "pressing a",
        "begun apressing b",
        "begun bpressing c",
        "begun c",
    ] {
        // Each is a line of its own, filled up with spaces: the bar is removed before it, and drawn below.
        let whole = shown.split(['\r', '\n']).map(without_sequences);
        let filled = format!("{line}     ");
        assert!(
            whole
                .into_iter()
                .any(|shown| shown == line || shown.starts_with(&filled)),
            "`{line}` is no line of:\n{shown:?}"
        );
    }
    let start = shown.rfind('{').unwrap();
    let answer: serde_json::Value =
        serde_json::from_str(&shown[start..=shown.rfind('}').unwrap()]).unwrap();
    assert_eq!(answer["materialized"], json!(3));
}

/// Removes the sequences that move the cursor or change colors.
fn without_sequences(line: &str) -> String {
    let mut parts = line.split('\u{1b}');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|char: char| char.is_ascii_alphabetic());
        plain.push_str(end.map_or("", |end| &part[end + 1..]));
    }
    plain
}

#[test]
fn a_partition_that_says_too_much_stops_no_other() {
    let project = Project::new(WORKSHOP);
    project
        .run("materialize -s wordy --json")
        .expect(1, &["6 materialized", "2 failed"]);
    let run = project.run("run latest --json").json();
    let much = "gr\u{fc}n ".repeat(60_000);
    for (index, name) in [(0, "1-1.error.txt"), (1, "2-1.error.txt")] {
        let message = run["failures"][index]["message"].as_str().unwrap();
        let (kept, note) = message.rsplit_once(".. (").unwrap();
        assert!(kept.contains("gr\u{fc}n gr"), "{kept}");
        let (_, path) = note.split_once(" more bytes; the whole is in `").unwrap();
        let path = path.strip_suffix("`)").unwrap();
        assert!(path.ends_with(&format!("texts/wordy-{name}")), "{path}");
        let whole = std::fs::read_to_string(project.folder().join(path)).unwrap();
        assert!(whole.contains(&much));
    }
    // The run is over, and the record says what is left.
    assert_eq!(run["status"], "failed");
    assert_eq!(run["progress"]["succeeded"], 6);
    let shown = project.run("asset wordy -p c4").expect(0, &[]);
    assert!(
        shown.out.contains("more bytes; the whole is in `"),
        "{}",
        shown.out
    );
    project
        .run("resume latest")
        .expect(1, &["0 materialized", "2 failed"]);
}
