//! Checks of streams of rows.

use precip_engine::{
    asset::{AssetError, AssetValue},
    io::{IoError, IoManager},
};

use super::support::{Row, load_value, rows_of, store_value, test_address};
use crate::{Table, TableStream};

/// Returns a stream of some batches of rows, which may end with an error.
fn stream_of(writer: u32, batches: usize, error: Option<&'static str>) -> TableStream {
    let table = Table::from_rows(&rows_of(writer)).expect("rows are a table");
    let batch = table.to_batch().expect("it is small");
    let failure = error.map(|error| Err(AssetError::terminal(error)));
    let batches = (0..batches).map(move |_| Ok(batch.clone())).chain(failure);
    TableStream::from_batches(table.schema().clone(), batches)
}

pub(super) async fn round_trip(manager: &dyn IoManager) {
    let address = test_address(Some("p"), 1);
    let stored = store_value(manager, &address, stream_of(1, 3, None)).await;
    assert_eq!(stored.metadata.get("rows"), Some(&15_000_usize.into()));
    let expected: Vec<Row> = (0..3).flat_map(|_| rows_of(1)).collect();
    let rows: Vec<Row> = load_value(manager, &address, &stored.pointer).await;
    assert!(rows == expected, "a stream's rows do not come back as rows");
    let stream: TableStream = load_value(manager, &address, &stored.pointer).await;
    let table = stream.collect().await.expect("they can be read");
    let rows: Vec<Row> = table.to_rows().expect("they are rows");
    assert!(
        rows == expected,
        "a stream's rows do not come back as a stream"
    );
}

pub(super) async fn broken_streams(manager: &dyn IoManager) {
    let before = store_value(manager, &test_address(Some("p"), 1), rows_of(1)).await;
    for batches in [0, 2] {
        let broken = AssetValue::new(stream_of(2, batches, Some("the source is gone")));
        let result = manager.store(&test_address(Some("p"), 2), broken).await;
        let error = AssetError::from(result.expect_err("a stream with an error is not stored"));
        let messages = format!("{}: {}", error.message(), error.causes().join(": "));
        assert!(messages.contains("the source is gone"), "{messages}");
    }
    let rows: Vec<Row> = load_value(manager, &test_address(Some("p"), 1), &before.pointer).await;
    assert!(rows == rows_of(1), "the data of before is gone");
    match manager.list(&test_address(None, 1).asset).await {
        Ok(listed) => assert!(listed.len() <= 1, "half of a stream is visible"),
        Err(IoError::Unsupported { .. }) => {}
        Err(error) => panic!("{error}"),
    }
}
