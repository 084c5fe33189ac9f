//! Streams of rows.

use arrow_schema::SchemaRef;
use precip_engine::asset::{AssetError, LoadedInput, LoadedPart};

use super::*;
use crate::FromAsset;

fn table() -> Table {
    let rows: Vec<Nested> = (0..1_000).map(|n| Nested { legs: vec![n] }).collect();
    Table::from_rows(&rows).unwrap()
}

async fn there_and_back(manager: &dyn IoManager) -> (Stored, Table) {
    let rows = TableStream::from(table()).into_asset().unwrap();
    let stored = manager.store(&address("p"), rows).await.unwrap();
    let request = TableStream::needs().request;
    let loaded = manager.load(&address("p"), &stored.pointer, &request).await;
    let input = LoadedInput {
        asset: "raw/flights".parse().unwrap(),
        parts: vec![LoadedPart {
            partition: Some("p".into()),
            value: loaded.unwrap(),
        }],
    };
    let rows = TableStream::from_asset(input).unwrap();
    (stored, rows.collect().await.unwrap())
}

#[tokio::test]
async fn every_manager_takes_and_gives_streams() {
    let open = || ObjectStoreIoManager::open("memory:").unwrap();
    let managers: [Box<dyn IoManager>; 4] = [
        Box::new(open()),
        Box::new(open().with_hive_layout(HiveLayout::by(["p"]))),
        Box::new(open().with_format(TableFormat::JsonLines)),
        Box::new(MemoryIoManager::new()),
    ];
    for manager in managers {
        let (stored, back) = there_and_back(manager.as_ref()).await;
        assert_eq!(stored.metadata["rows"], 1_000.into());
        let rows: Vec<Nested> = back.to_rows().unwrap();
        assert!(rows.iter().zip(0..).all(|(row, n)| row.legs == [n]));
    }
}

#[tokio::test]
async fn a_stream_that_ends_with_an_error_leaves_nothing() {
    let folder = TempDir::new().unwrap();
    let manager = ObjectStoreIoManager::open(folder.path().to_str().unwrap()).unwrap();
    let schema: SchemaRef = table().schema().clone();
    let batches = [
        Ok(table().to_batch().unwrap()),
        Err(AssetError::retryable("the partner hung up")),
    ];
    let rows = TableStream::from_batches(schema, batches);
    let rows = rows.into_asset().unwrap();
    let error = manager.store(&address("p"), rows).await.unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("the partner hung up"), "{source}");
    let left = manager.list(&"raw/flights".parse().unwrap()).await.unwrap();
    assert_eq!(left, []);
}
