//! A partition that is much larger than the memory that storing and loading it takes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![cfg(target_os = "linux")]

use std::sync::Arc;

use arrow_array::{Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use precip_engine::io::{Address, IoManager, LoadRequest};
use precip_io::{IntoAsset, ObjectStoreIoManager, ParquetCompression, ParquetOptions, TableStream};

const BATCHES: i64 = 96;
const ROWS: i64 = 32 * 1024;
const TEXT: usize = 120;
/// What storing or loading may add to what the process has taken before.
const MOST: u64 = 128 * 1024 * 1024;

/// The most memory that this process has ever had.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.unwrap().trim().trim_end_matches(" kB");
    kilobytes.parse::<u64>().unwrap() * 1024
}

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("n", DataType::Int64, false),
        Field::new("text", DataType::Utf8, false),
    ]))
}

/// Rows that no dictionary makes small.
fn batch(at: i64) -> RecordBatch {
    let numbers = at * ROWS..(at + 1) * ROWS;
    let texts = numbers.clone().map(|n| format!("{n:0TEXT$}"));
    let columns: (StringArray, Int64Array) =
        (texts.map(Some).collect(), numbers.map(Some).collect());
    RecordBatch::try_new(schema(), vec![Arc::new(columns.1), Arc::new(columns.0)]).unwrap()
}

#[tokio::test]
async fn a_big_partition_is_stored_and_loaded_in_little_memory() {
    let folder = tempfile::TempDir::new().unwrap();
    let options = ParquetOptions::new().compression(ParquetCompression::None);
    let manager = ObjectStoreIoManager::open(folder.path().to_str().unwrap())
        .unwrap()
        .with_parquet(options);
    let address = Address {
        asset: "big".parse().unwrap(),
        partition: Some("2013-01-01".into()),
        run: "01JDC0Z5V9M3T8Q4W2X7Y6R1KA".parse().unwrap(),
        attempt: 1,
    };
    let before = peak();
    let rows = TableStream::from_batches(schema(), (0..BATCHES).map(|at| Ok(batch(at))));
    let stored = manager.store(&address, rows.into_asset().unwrap()).await;
    let pointer = stored.unwrap().pointer;
    let size = std::fs::metadata(folder.path().join(&pointer))
        .unwrap()
        .len();
    assert!(
        size > 3 * MOST,
        "{size} bytes are not much more than the bound"
    );
    let stored = peak() - before;
    assert!(stored < MOST, "storing {size} bytes took {stored}");

    let request = LoadRequest {
        streamed: true,
        ..LoadRequest::default()
    };
    let loaded = manager.load(&address, &pointer, &request).await.unwrap();
    let mut rows: TableStream = loaded.downcast().unwrap();
    let (mut count, mut sum) = (0, 0);
    while let Some(batch) = rows.next().await {
        let batch = batch.unwrap();
        let numbers = batch.column(0).as_any().downcast_ref::<Int64Array>();
        count += i64::try_from(batch.num_rows()).unwrap();
        sum += numbers.unwrap().values().iter().sum::<i64>();
    }
    let all = BATCHES * ROWS;
    assert_eq!((count, sum), (all, all * (all - 1) / 2));
    let taken = peak() - before;
    assert!(
        taken < MOST,
        "storing and loading {size} bytes took {taken}"
    );
}
