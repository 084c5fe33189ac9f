//! That a process that is killed while it writes leaves the old value or the new one.

use std::{
    collections::BTreeMap,
    env,
    io::{BufRead, BufReader, Read, Write},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use precip_engine::io::{IoError, IoManager};
use tokio::runtime::{Builder, Runtime};

use super::support::{Row, address, load, rows_of, store, writer_of};

/// Tells a process of a test that it is the writer, and which attempt comes next.
const NEXT: &str = "PRECIP_CONFORMANCE_NEXT";
/// Before the attempt and the pointer of what is safely stored.
const STORED: &str = "stored ";
/// How many writers are killed.
const KILLED: u32 = 8;

/// Kills processes that write one partition again and again, each at another part of what it takes to write
/// it once, and looks at what they leave. `make` opens the manager at one place, here and in the writers.
///
/// It is called in a `#[test]` that does nothing else, whose full name is given: the test's own binary
/// is started for that test once more, as the writer.
///
/// ```no_run
/// # use precip_io::{ObjectStoreIoManager, conformance};
/// // In `mod tests`: #[test]
/// fn a_killed_writer_leaves_whole_files() {
///     let folder = tempfile::TempDir::new().unwrap();
///     conformance::killed_writer("tests::a_killed_writer_leaves_whole_files", folder.path(), |folder| {
///         ObjectStoreIoManager::open(&folder.to_string_lossy()).unwrap()
///     });
/// }
/// ```
///
/// # Panics
/// When something half-written can be seen, or what was safely stored cannot.
pub fn killed_writer<M: IoManager>(test: &str, place: &Path, make: impl Fn(&Path) -> M) {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    if let Ok(writer) = env::var(NEXT) {
        let (next, place) = writer.split_once(' ').expect("an attempt and a place");
        let next = next.parse().expect("an attempt");
        runtime.block_on(write_until_killed(&make(Path::new(place)), next));
    }
    let mut next = 1;
    for round in 0..KILLED {
        let mut writer = start(test, place, next);
        let output = writer.stdout.take().expect("its output is ours");
        let mut output = BufReader::new(output);
        let mut safe = BTreeMap::new();
        let mut since = Instant::now();
        let mut takes = Duration::ZERO;
        // The first one takes its time to begin; the others show how long one takes.
        while safe.len() < 3 {
            let mut line = String::new();
            let read = output.read_line(&mut line).expect("the writer speaks");
            assert!(read > 0, "the writer of `{test}` ended before it wrote");
            if let Some(stored) = parse(&line) {
                safe.extend([stored]);
                takes = since.elapsed();
                since = Instant::now();
            }
        }
        thread::sleep(takes * round / KILLED);
        writer.kill().expect("the writer is there");
        writer.wait().expect("the writer ends");
        let mut rest = String::new();
        output.read_to_string(&mut rest).expect("what it had said");
        safe.extend(rest.lines().filter_map(parse));
        next = look(&runtime, &make(place), &safe) + 1;
    }
}

async fn write_until_killed(manager: &impl IoManager, next: u32) -> ! {
    for attempt in next.. {
        let stored = store(manager, &address(Some("p"), attempt), rows_of(attempt)).await;
        let pointers = [stored.pointer];
        let durable = manager.make_durable(&pointers).await;
        durable.expect("the manager makes it durable");
        let [pointer] = pointers;
        // Not `println`, which the test harness keeps to itself.
        let mut out = std::io::stdout().lock();
        let said = writeln!(out, "\n{STORED}{attempt} {pointer}").and_then(|()| out.flush());
        said.expect("somebody listens");
    }
    unreachable!("it is killed long before")
}

fn start(test: &str, place: &Path, next: u32) -> Child {
    Command::new(env::current_exe().expect("the tests are a program"))
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(NEXT, format!("{next} {}", place.display()))
        .stdout(Stdio::piped())
        .spawn()
        .expect("the tests start again")
}

fn parse(line: &str) -> Option<(u32, String)> {
    let (attempt, pointer) = line.trim_end().strip_prefix(STORED)?.split_once(' ')?;
    Some((attempt.parse().ok()?, pointer.to_owned()))
}

/// Looks at what is there; answers the newest attempt that can be seen.
fn look(runtime: &Runtime, manager: &impl IoManager, safe: &BTreeMap<u32, String>) -> u32 {
    let (&last, pointer) = safe.last_key_value().expect("something was stored");
    runtime.block_on(async {
        let address = address(Some("p"), last);
        let back: Vec<Row> = load(manager, &address, pointer).await;
        let by = writer_of(&back);
        assert!(
            (last..=last + 1).contains(&by),
            "attempt {by} is there, and {last} was stored"
        );
        let mut newest = by;
        match manager.list(&address.asset).await {
            Ok(visible) => {
                for attempt in visible {
                    let back: Vec<Row> = load(manager, &address, &attempt.pointer).await;
                    newest = newest.max(writer_of(&back));
                }
            }
            Err(IoError::Unsupported { .. }) => newest += 1,
            Err(error) => panic!("{error}"),
        }
        newest
    })
}
