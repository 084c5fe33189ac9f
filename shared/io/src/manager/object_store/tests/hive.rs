//! The Hive layout.

use super::*;

/// Cases that a layout with one file per partition cannot satisfy.
pub(super) const OF_HIVE: &[Limit] = &[
    Otherwise(Case::Attempts),
    Otherwise(Case::ListAndRemove),
    Refused(Case::LongKeys),
];

fn in_store() -> ObjectStoreIoManager {
    let store = Arc::new(object_store::memory::InMemory::new());
    ObjectStoreIoManager::new(store, Path::from("some/folder"), "memory:")
        .with_hive_layout(HiveLayout::by(["date"]))
}

fn in_folder(folder: &str) -> ObjectStoreIoManager {
    ObjectStoreIoManager::open(folder)
        .unwrap()
        .with_hive_layout(HiveLayout::by(["date"]))
}

#[tokio::test]
async fn a_store_with_conditional_writes_conforms() {
    check_all(in_store, OF_HIVE).await;
}

#[tokio::test]
async fn a_folder_conforms() {
    let folder = TempDir::new().unwrap();
    let next = std::cell::Cell::new(0);
    let make = || {
        let n = next.replace(next.get() + 1);
        in_folder(folder.path().join(n.to_string()).to_str().unwrap())
    };
    check_all(make, OF_HIVE).await;
}

#[test]
fn a_killed_writer_leaves_whole_files() {
    let test = "manager::object_store::tests::hive::a_killed_writer_leaves_whole_files";
    let folder = TempDir::new().unwrap();
    killed_writer(test, folder.path(), |folder| {
        in_folder(folder.to_str().unwrap())
    });
}

#[tokio::test]
async fn tables_are_in_the_folder_of_their_partition_and_other_forms_are_versioned() {
    let folder = TempDir::new().unwrap();
    let manager = in_folder(folder.path().to_str().unwrap());
    let rows = vec![Nested { legs: vec![1] }].into_asset().unwrap();
    let stored = manager
        .store(&flights_address("2013-01-01"), rows)
        .await
        .unwrap();
    assert_eq!(stored.pointer, "raw/flights/date=2013-01-01/data.parquet");
    assert!(folder.path().join(&stored.pointer).is_file());
    // Query engines read tables only.
    let text = String::from("a note").into_asset().unwrap();
    let stored = manager
        .store(&flights_address("2013-01-01"), text)
        .await
        .unwrap();
    assert_eq!(
        stored.pointer,
        "raw/flights/2013-01-01/01JDC0Z5V9M3T8Q4W2X7Y6R1KA-1.5d527750.txt"
    );
}

#[tokio::test]
async fn csv_with_the_hive_layout_is_refused() {
    let manager = in_store().with_format(TableFormat::Csv);
    let rows = vec![Nested { legs: vec![1] }].into_asset().unwrap();
    let error = manager.store(&flights_address("2013-01-01"), rows).await;
    assert_eq!(
        error.unwrap_err().to_string(),
        "asset `raw/flights`, partition `2013-01-01`: the Hive layout holds Parquet files, not `.csv`; leave \
         `with_format` out"
    );
}

#[tokio::test]
async fn parquet_options_apply_to_the_file() {
    use crate::{ParquetCompression, ParquetStatistics};
    use ::parquet::{
        basic::Compression,
        file::metadata::{ParquetMetaData, ParquetMetaDataReader},
    };

    let rows: Vec<Nested> = (0..1_000).map(|n| Nested { legs: vec![n] }).collect();
    let table = Table::from_rows(&rows).unwrap();
    let write = |options: ParquetOptions| -> ParquetMetaData {
        let file = TableFormat::Parquet.encode_table(&table, &options).unwrap();
        ParquetMetaDataReader::new()
            .parse_and_finish(&Bytes::from(file))
            .unwrap()
    };
    // Options that differ from the default in every way.
    let plain = write(
        ParquetOptions::new()
            .compression(ParquetCompression::None)
            .rows_per_group(300)
            .statistics(ParquetStatistics::None),
    );
    let groups: Vec<i64> = plain.row_groups().iter().map(|g| g.num_rows()).collect();
    assert_eq!(groups, [300, 300, 300, 100]);
    let column = plain.row_group(0).column(0);
    assert_eq!(column.compression(), Compression::UNCOMPRESSED);
    assert!(column.statistics().is_none());

    // The default statistics have page indexes too.
    let usual = write(ParquetOptions::new().compression(ParquetCompression::Snappy));
    let column = usual.row_group(0).column(0);
    assert_eq!(column.compression(), Compression::SNAPPY);
    assert!(column.statistics().is_some());
    assert!(column.column_index_offset().is_some());
}
