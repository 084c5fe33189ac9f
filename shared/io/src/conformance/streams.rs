//! Rows that come batch by batch.

use precip_engine::{
    asset::{AssetError, AssetValue},
    io::{IoError, IoManager},
};

use super::support::{Row, address, load, rows_of, store};
use crate::{Table, TableStream};

/// So many batches of rows, after which the stream may end with an error.
fn stream(by: u32, batches: usize, error: Option<&'static str>) -> TableStream {
    let table = Table::from_rows(&rows_of(by)).expect("rows are a table");
    let batch = table.to_batch().expect("it is small");
    let error = error.map(|error| Err(AssetError::terminal(error)));
    let batches = (0..batches).map(move |_| Ok(batch.clone())).chain(error);
    TableStream::from_batches(table.schema().clone(), batches)
}

pub(super) async fn round_trip(manager: &dyn IoManager) {
    let address = address(Some("p"), 1);
    let stored = store(manager, &address, stream(1, 3, None)).await;
    assert_eq!(stored.metadata.get("rows"), Some(&15_000_usize.into()));
    let expected: Vec<Row> = (0..3).flat_map(|_| rows_of(1)).collect();
    let rows: Vec<Row> = load(manager, &address, &stored.pointer).await;
    assert!(rows == expected, "a stream's rows do not come back as rows");
    let rows: TableStream = load(manager, &address, &stored.pointer).await;
    let rows = rows.collect().await.expect("they can be read");
    let rows: Vec<Row> = rows.to_rows().expect("they are rows");
    assert!(
        rows == expected,
        "a stream's rows do not come back as a stream"
    );
}

pub(super) async fn broken(manager: &dyn IoManager) {
    let before = store(manager, &address(Some("p"), 1), rows_of(1)).await;
    for batches in [0, 2] {
        let broken = AssetValue::new(stream(2, batches, Some("the source is gone")));
        let refused = manager.store(&address(Some("p"), 2), broken).await;
        let refused = refused.expect_err("a stream that breaks off is not stored");
        let refused = AssetError::from(refused);
        let said = format!("{}: {}", refused.message(), refused.causes().join(": "));
        assert!(said.contains("the source is gone"), "{said}");
    }
    let rows: Vec<Row> = load(manager, &address(Some("p"), 1), &before.pointer).await;
    assert!(rows == rows_of(1), "what was there before is gone");
    match manager.list(&address(None, 1).asset).await {
        Ok(listed) => assert!(listed.len() <= 1, "half of a stream is there"),
        Err(IoError::Unsupported { .. }) => {}
        Err(error) => panic!("{error}"),
    }
}
