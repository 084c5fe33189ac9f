//! Checks that a partition may be much larger than memory.

use std::{env, fs, process::Command, sync::Arc};

use arrow_array::{Int64Array, RecordBatch, StringArray, cast::AsArray, types::Int64Type};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use precip_engine::io::IoManager;
use tokio::runtime::Builder;

use super::support::{load_value, store_value, test_address};
use crate::TableStream;

/// Environment variable of the process whose memory is measured.
const IN_TEST_PROCESS: &str = "PRECIP_CONFORMANCE_LITTLE";
/// Memory of a small function on AWS, in MiB, for program, stacks and heap.
const MEMORY_MIB: u64 = 512;

/// Number of batches of the partition.
const BATCHES: i64 = 512;
/// Number of rows in a batch.
const ROWS_PER_BATCH: i64 = 4 * 1024;
/// Number of letters in a row: 2 GiB in all rows.
const LETTERS_PER_ROW: usize = 1024;

/// Stores a partition of 2 GiB as a stream and loads it as one, in a process that takes 512 MiB at most
/// ([`in_little_memory`]).
///
/// # Panics
/// When it takes more, or loads other rows.
pub fn big_partition<M: IoManager>(test: &str, make: impl FnOnce() -> M) {
    in_little_memory(test, async { store_and_load(&make()).await });
}

/// Runs some work in a process of its own, which must take no more memory than a Lambda function of 512 MB has.
/// `AWS_LAMBDA_FUNCTION_MEMORY_SIZE` is set in that process.
///
/// Call it in a `#[test]` that does nothing else, with the full name of the test, like
/// [`killed_writer`](super::killed_writer). Memory is measured on Linux only.
///
/// # Panics
/// When the work panics, or takes more memory.
pub fn in_little_memory(test: &str, work: impl Future<Output = ()>) {
    // The test process starts itself again for this test alone, so that nothing else counts.
    if env::var(IN_TEST_PROCESS).is_err() {
        let mut process = Command::new(env::current_exe().expect("the tests are a program"));
        process
            .args(["--exact", test, "--nocapture", "--test-threads=1"])
            .env(IN_TEST_PROCESS, "1")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", MEMORY_MIB.to_string());
        let ended = process.status().expect("the tests start again");
        assert!(ended.success(), "`{test}` ended with {ended}");
        return;
    }
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(work);
    if let Some(taken) = peak_memory() {
        assert!(taken <= MEMORY_MIB, "it took {taken} MiB of {MEMORY_MIB}");
    }
}

/// Returns the peak memory of this process, in MiB.
fn peak_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let mut lines = status.lines();
    let peak = lines.find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = peak.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kibibytes.div_ceil(1024))
}

async fn store_and_load(manager: &impl IoManager) {
    let (address, letters) = (test_address(Some("p"), 1), random_letters());
    let pool = Arc::clone(&letters);
    let batches = (0..BATCHES).map(move |index| Ok(batch_at(&pool, index)));
    let stored = store_value(
        manager,
        &address,
        TableStream::from_batches(big_schema(), batches),
    )
    .await;
    let mut rows: TableStream = load_value(manager, &address, &stored.pointer).await;
    let mut next = 0;
    // Every row is compared, and only one batch is in memory.
    while let Some(batch) = rows.next().await {
        let batch = batch.expect("it can be read");
        let numbers = batch.column(0).as_primitive::<Int64Type>();
        let texts = batch.column(1).as_string::<i32>();
        for (number, text) in numbers.values().iter().zip(texts) {
            let expected = (next, Some(text_of(&letters, next)));
            assert!((*number, text) == expected, "row {next} differs");
            next += 1;
        }
    }
    assert_eq!(next, BATCHES * ROWS_PER_BATCH);
}

fn big_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("n", DataType::Int64, false),
        Field::new("text", DataType::Utf8, false),
    ]))
}

/// Returns letters that do not compress: a xorshift sequence.
fn random_letters() -> Arc<str> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let letter = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b'0' + (state >> 58) as u8)
    };
    (0..1 << 20).map(letter).collect::<String>().into()
}

/// Returns the text of a row. The texts of adjacent rows begin differently.
fn text_of(letters: &str, row: i64) -> &str {
    let start =
        usize::try_from(row).unwrap_or_default() * 7_919 % (letters.len() - LETTERS_PER_ROW);
    &letters[start..start + LETTERS_PER_ROW]
}

fn batch_at(letters: &str, index: i64) -> RecordBatch {
    let numbers = index * ROWS_PER_BATCH..(index + 1) * ROWS_PER_BATCH;
    let texts = StringArray::from_iter_values(numbers.clone().map(|row| text_of(letters, row)));
    let numbers = Int64Array::from_iter_values(numbers);
    RecordBatch::try_new(big_schema(), vec![Arc::new(numbers), Arc::new(texts)])
        .expect("two columns")
}
