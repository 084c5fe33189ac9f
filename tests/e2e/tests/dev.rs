//! `dev`: a dropped file becomes a materialized mart, and Ctrl-C ends it cleanly.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

use precip_tests::{Answer, Project, interrupt_process, landing_folder};

/// A limit that no wait reaches, even on a busy machine.
const WAIT_LIMIT: Duration = Duration::from_secs(30);

/// A running `dev`.
struct Dev {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Dev {
    fn start_dev(project: &Project) -> Self {
        let mut command = project.command(["dev"]);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = channel();
        let stderr = child.stderr.take().unwrap();
        thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self {
            child,
            lines,
            seen: Vec::new(),
        }
    }

    /// Waits for a line that contains all of these parts.
    fn wait_for_line(&mut self, parts: &[&str]) -> String {
        loop {
            match self.lines.recv_timeout(WAIT_LIMIT) {
                Ok(line) => {
                    self.seen.push(line.clone());
                    if parts.iter().all(|part| line.contains(part)) {
                        return line;
                    }
                }
                Err(error) => panic!(
                    "{parts:?} was not printed ({error}):\n{}",
                    self.seen.join("\n")
                ),
            }
        }
    }

    fn stop_with_ctrl_c(mut self) {
        interrupt_process(&self.child);
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Dev {
    /// Ends the process of a test that fails.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Drops one of the sample's landing files.
fn drop_file(folder: &Path, name: &str) {
    let to = folder.join(name);
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    fs::copy(Path::new(&landing_folder()).join(name), to).unwrap();
}

#[test]
fn a_dropped_file_becomes_a_mart() {
    let mut project = Project::new(env!("CARGO_BIN_EXE_flights-cli"));
    let folder = project.folder().join("landing");
    project.set_variable("FLIGHTS_LANDING", folder.to_str().unwrap());
    for name in ["airlines", "airports", "planes"] {
        drop_file(&folder, &format!("reference/{name}.csv"));
    }
    // This file is dropped before `dev` starts.
    drop_file(&folder, "flights/2013-01-05.csv.gz");
    let mut dev = Dev::start_dev(&project);
    dev.wait_for_line(&["landing_flights: 1 file that was missed", "2013-01-05"]);
    dev.wait_for_line(&["ready: "]);
    dev.wait_for_line(&["materialized in"]);
    drop_file(&folder, "flights/2013-01-06.csv.gz");
    let line = dev.wait_for_line(&[
        "landing_flights: flights/2013-01-06.csv.gz ->",
        "2013-01-06",
    ]);
    let run = line
        .rsplit_once("(run ")
        .unwrap()
        .1
        .trim_end_matches(')')
        .to_owned();
    dev.wait_for_line(&[&run, "materialized in"]);
    dev.stop_with_ctrl_c();

    let delays = project.run("asset delays --json").expect(0, &[]).json();
    assert_eq!(delays["materialized"], 2, "{delays}");
    // The next process continues after the last handled file.
    let mut dev = Dev::start_dev(&project);
    dev.wait_for_line(&["ready: "]);
    drop_file(&folder, "flights/2013-01-07.csv.gz");
    dev.wait_for_line(&["flights/2013-01-07.csv.gz ->"]);
    dev.wait_for_line(&["materialized in"]);
    dev.stop_with_ctrl_c();
    let runs: Answer = project.run("runs --json").expect(0, &[]);
    assert_eq!(runs.json().as_array().unwrap().len(), 3);
    let ticks = project
        .run("ticks landing_flights --json")
        .expect(0, &[])
        .json();
    assert!(ticks.as_array().unwrap().len() >= 3);
}

/// Links that lead back into the folder have endless paths, and one bad name must not stop the others.
#[cfg(unix)]
#[test]
fn links_are_not_followed_and_what_is_left_out_is_named() {
    use std::os::unix::{ffi::OsStrExt, fs::symlink};

    let mut project = Project::new(env!("CARGO_BIN_EXE_flights-cli"));
    let folder = project.folder().join("landing");
    project.set_variable("FLIGHTS_LANDING", folder.to_str().unwrap());
    drop_file(&folder, "weather/2013-01-05.csv.gz");
    symlink(&folder, folder.join("weather/one")).unwrap();
    symlink(&folder, folder.join("weather/two")).unwrap();
    symlink(landing_folder(), folder.join("weather/other")).unwrap();
    symlink(
        "2013-01-05.csv.gz",
        folder.join("weather/2013-01-06.csv.gz"),
    )
    .unwrap();
    let bad = std::ffi::OsStr::from_bytes(b"2013-01-\xff.csv.gz");
    // Some file systems take no such name.
    let has_bad = fs::write(folder.join("weather").join(bad), "").is_ok();
    let mut dev = Dev::start_dev(&project);
    dev.wait_for_line(&["landing_weather: 1 file that was missed", "2013-01-05"]);
    dev.wait_for_line(&[
        "weather/other` is left out: it is a link to",
        "outside of the folder",
    ]);
    dev.wait_for_line(&["ready: "]);
    let seen = dev.seen.join("\n");
    assert_eq!(seen.contains("its name is not UTF-8"), has_bad, "{seen}");
    dev.wait_for_line(&["materialized in"]);
    dev.stop_with_ctrl_c();
    let runs = project.run("runs --json").expect(0, &[]).json();
    assert_eq!(runs.as_array().unwrap().len(), 1, "{runs}");
    let ticks = project.run("ticks landing_weather").expect(0, &[]);
    assert!(ticks.out.contains("left out: "), "{}", ticks.out);
}

#[test]
fn a_stopped_sensor_requests_nothing() {
    let mut project = Project::new(env!("CARGO_BIN_EXE_flights-cli"));
    let folder = project.folder().join("landing");
    project.set_variable("FLIGHTS_LANDING", folder.to_str().unwrap());
    project
        .run("sensor landing_flights stop")
        .expect(0, &["sensor landing_flights is off"]);
    let mut dev = Dev::start_dev(&project);
    dev.wait_for_line(&["landing_flights: is off: `sensor landing_flights start` turns it on"]);
    dev.wait_for_line(&["ready: "]);
    drop_file(&folder, "flights/2013-01-06.csv.gz");
    drop_file(&folder, "weather/2013-01-06.csv.gz");
    dev.wait_for_line(&["landing_weather: weather/2013-01-06.csv.gz ->"]);
    dev.wait_for_line(&["materialized in"]);
    dev.stop_with_ctrl_c();
    let runs = project.run("runs --json").expect(0, &[]).json();
    assert_eq!(runs.as_array().unwrap().len(), 1, "{runs}");
}

#[test]
fn a_sensor_is_tried_on_a_real_event() {
    let project = Project::flights_sample(env!("CARGO_BIN_EXE_flights-cli"));
    let event = format!("{}/../s3/object_created.json", landing_folder());
    let answer = project.run(&format!("sensor landing_flights --event {event}"));
    let answer = answer.expect(0, &["the event is from bucket `flights-landing`"]);
    assert!(
        answer
            .out
            .starts_with("flights/2013-01-05.csv.gz: requests a run\n"),
        "{}",
        answer.out
    );
    assert!(
        answer.out.contains("--partitions 2013-01-05"),
        "{}",
        answer.out
    );
    let batch = format!("{}/../s3/sqs_batch.json", landing_folder());
    project
        .run(&format!("sensor landing_flights --event {batch}"))
        .expect(
            0,
            &["message d0a1c2b3-0000-4a1b-b1a0-0f9e5a3c2d22: this is no event of S3"],
        );
    project.run("sensor landing_fligths").expect(
        2,
        &[
            "there is no sensor `landing_fligths`",
            "did you mean `landing_flights`",
        ],
    );
}
