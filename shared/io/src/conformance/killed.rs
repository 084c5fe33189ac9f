//! Checks that a process that is killed while it writes leaves the old value or the new one.

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

use super::support::{Row, load_value, rows_of, store_value, test_address, writer_of};

/// Environment variable of the writer process: its next attempt and its location.
const NEXT: &str = "PRECIP_CONFORMANCE_NEXT";
/// Prefix of the line that reports a stored attempt and its pointer.
const STORED: &str = "stored ";
/// Number of writers to kill.
const ROUNDS: u32 = 8;

/// Kills processes that write one partition repeatedly, each at another point of a write, and checks what they
/// leave. `make` opens the manager at a location, here and in the writers.
///
/// Call it in a `#[test]` that does nothing else, with the full name of the test: the test binary starts itself for
/// that test once more, as the writer.
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
/// When half-written data is visible, or durable data is missing.
pub fn killed_writer<M: IoManager>(test: &str, location: &Path, make: impl Fn(&Path) -> M) {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    if let Ok(writer) = env::var(NEXT) {
        let (next, location) = writer.split_once(' ').expect("an attempt and a location");
        let next = next.parse().expect("an attempt");
        runtime.block_on(write_until_killed(&make(Path::new(location)), next));
    }
    // Each round continues with the attempt after the newest visible one.
    let mut next = 1;
    for round in 0..ROUNDS {
        let mut writer = start_writer(test, location, next);
        let stdout = writer.stdout.take().expect("its output is piped");
        let mut output = BufReader::new(stdout);
        let mut safe = BTreeMap::new();
        let mut since = Instant::now();
        let mut duration = Duration::ZERO;
        // The first write includes the start of the process; the later ones show how long a write takes.
        while safe.len() < 3 {
            let mut line = String::new();
            let read = output
                .read_line(&mut line)
                .expect("the writer writes lines");
            assert!(read > 0, "the writer of `{test}` ended before it wrote");
            if let Some(stored) = parse_stored(&line) {
                safe.extend([stored]);
                duration = since.elapsed();
                since = Instant::now();
            }
        }
        thread::sleep(duration * round / ROUNDS);
        writer.kill().expect("the writer is there");
        writer.wait().expect("the writer ends");
        // What it reported before it was killed is safe as well.
        let mut rest = String::new();
        output.read_to_string(&mut rest).expect("its output");
        safe.extend(rest.lines().filter_map(parse_stored));
        next = inspect_leftovers(&runtime, &make(location), &safe) + 1;
    }
}

async fn write_until_killed(manager: &impl IoManager, next: u32) -> ! {
    for attempt in next.. {
        let stored =
            store_value(manager, &test_address(Some("p"), attempt), rows_of(attempt)).await;
        let pointers = [stored.pointer];
        let durable = manager.make_durable(&pointers).await;
        durable.expect("the manager makes it durable");
        let [pointer] = pointers;
        // Not `println`, which the test harness keeps to itself.
        let mut out = std::io::stdout().lock();
        let reported = writeln!(out, "\n{STORED}{attempt} {pointer}").and_then(|()| out.flush());
        reported.expect("the test reads it");
    }
    unreachable!("the test kills it long before")
}

fn start_writer(test: &str, location: &Path, next: u32) -> Child {
    Command::new(env::current_exe().expect("the tests are a program"))
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(NEXT, format!("{next} {}", location.display()))
        .stdout(Stdio::piped())
        .spawn()
        .expect("the tests start again")
}

fn parse_stored(line: &str) -> Option<(u32, String)> {
    let (attempt, pointer) = line.trim_end().strip_prefix(STORED)?.split_once(' ')?;
    Some((attempt.parse().ok()?, pointer.to_owned()))
}

/// Checks the visible attempts, and returns the newest.
fn inspect_leftovers(
    runtime: &Runtime,
    manager: &impl IoManager,
    safe: &BTreeMap<u32, String>,
) -> u32 {
    let (&last, pointer) = safe.last_key_value().expect("something was stored");
    runtime.block_on(async {
        let address = test_address(Some("p"), last);
        let back: Vec<Row> = load_value(manager, &address, pointer).await;
        let by = writer_of(&back);
        assert!(
            (last..=last + 1).contains(&by),
            "attempt {by} is visible, and {last} was stored"
        );
        let mut newest = by;
        match manager.list(&address.asset).await {
            Ok(visible) => {
                for attempt in visible {
                    let back: Vec<Row> = load_value(manager, &address, &attempt.pointer).await;
                    newest = newest.max(writer_of(&back));
                }
            }
            // A killed writer may have stored one more attempt that cannot be seen.
            Err(IoError::Unsupported { .. }) => newest += 1,
            Err(error) => panic!("{error}"),
        }
        newest
    })
}
