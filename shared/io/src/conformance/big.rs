//! A partition that is much larger than the memory of who stores and loads it.

use std::{env, fs, process::Command, sync::Arc};

use arrow_array::{Int64Array, RecordBatch, StringArray, cast::AsArray, types::Int64Type};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use precip_engine::io::IoManager;
use tokio::runtime::Builder;

use super::support::{address, load, store};
use crate::TableStream;

/// Tells a process of a test that its memory is looked at.
const HERE: &str = "PRECIP_CONFORMANCE_LITTLE";
/// What a function on AWS has, in MiB, unless more is asked for: the program, its stacks and all it keeps.
const MEMORY: u64 = 512;

const BATCHES: i64 = 512;
const ROWS: i64 = 4 * 1024;
/// Letters of a row: 2 GiB in all rows.
const LETTERS: usize = 1024;

/// Stores a partition of 2 GiB as a stream and loads it as one, in a process that takes 512 MiB at most
/// ([`in_little_memory`]).
///
/// # Panics
/// When it takes more, or when other rows come back.
pub fn big_partition<M: IoManager>(test: &str, make: impl FnOnce() -> M) {
    in_little_memory(test, async { there_and_back(&make()).await });
}

/// Does something in a process of its own that takes no more memory than a function of 512 MB on Lambda has,
/// and finds itself told so (`AWS_LAMBDA_FUNCTION_MEMORY_SIZE`).
///
/// It is called in a `#[test]` that does nothing else, whose full name is given, as
/// [`killed_writer`](super::killed_writer) is. Only Linux tells how much a process has taken; elsewhere it is
/// not looked at.
///
/// # Panics
/// When the work does, or when it takes more.
pub fn in_little_memory(test: &str, work: impl Future<Output = ()>) {
    if env::var(HERE).is_err() {
        let mut process = Command::new(env::current_exe().expect("the tests are a program"));
        process
            .args(["--exact", test, "--nocapture", "--test-threads=1"])
            .env(HERE, "1")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", MEMORY.to_string());
        let ended = process.status().expect("the tests start again");
        assert!(ended.success(), "`{test}` ended with {ended}");
        return;
    }
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(work);
    if let Some(taken) = peak() {
        assert!(
            taken <= MEMORY,
            "it took {taken} MiB, and {MEMORY} are there"
        );
    }
}

/// The most memory that this process has had so far, in MiB.
fn peak() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let mut lines = status.lines();
    let peak = lines.find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = peak.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kibibytes.div_ceil(1024))
}

async fn there_and_back(manager: &impl IoManager) {
    let (address, letters) = (address(Some("p"), 1), letters());
    let pool = Arc::clone(&letters);
    let batches = (0..BATCHES).map(move |at| Ok(batch(&pool, at)));
    let stored = store(
        manager,
        &address,
        TableStream::from_batches(schema(), batches),
    )
    .await;
    let mut rows: TableStream = load(manager, &address, &stored.pointer).await;
    let mut next = 0;
    while let Some(batch) = rows.next().await {
        let batch = batch.expect("it can be read");
        let numbers = batch.column(0).as_primitive::<Int64Type>();
        let texts = batch.column(1).as_string::<i32>();
        for (number, text) in numbers.values().iter().zip(texts) {
            let expected = (next, Some(text_of(&letters, next)));
            assert!((*number, text) == expected, "row {next} is another");
            next += 1;
        }
    }
    assert_eq!(next, BATCHES * ROWS);
}

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("n", DataType::Int64, false),
        Field::new("text", DataType::Utf8, false),
    ]))
}

/// Letters in no order that would make them small.
fn letters() -> Arc<str> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let letter = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b'0' + (state >> 58) as u8)
    };
    (0..1 << 20).map(letter).collect::<String>().into()
}

/// The text of a row: no two rows beside each other have one that begins alike.
fn text_of(letters: &str, row: i64) -> &str {
    let start = usize::try_from(row).unwrap_or_default() * 7_919 % (letters.len() - LETTERS);
    &letters[start..start + LETTERS]
}

fn batch(letters: &str, at: i64) -> RecordBatch {
    let numbers = at * ROWS..(at + 1) * ROWS;
    let texts = StringArray::from_iter_values(numbers.clone().map(|row| text_of(letters, row)));
    let numbers = Int64Array::from_iter_values(numbers);
    RecordBatch::try_new(schema(), vec![Arc::new(numbers), Arc::new(texts)]).expect("two columns")
}
