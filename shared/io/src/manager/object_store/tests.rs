use tempfile::TempDir;

#[cfg(feature = "s3")]
mod emulator;

use super::*;
use chrono::DateTime;
use precip_core::metadata::TableSchema;

use crate::{
    IntoAsset, MemoryIoManager, ParquetCompression, Table,
    checks::{Measurement, not_null, row_count},
    conformance::{
        Case,
        Case::{
            ColumnsOfNoRows, EmptyTexts, ExactTypes, MeasuredColumns, Nested as NestedRows,
            NestedNulls, NotFinite,
        },
        Limit::{self, Otherwise, Refused},
        big_partition, check_all, killed_writer,
        testing::address_of,
    },
};

/// Cases that CSV cannot satisfy.
const OF_CSV: &[Limit] = &[
    Otherwise(EmptyTexts),
    Refused(NestedRows),
    Refused(NestedNulls),
    Otherwise(ExactTypes),
    Otherwise(MeasuredColumns),
];
/// Cases that JSON cannot satisfy.
const OF_JSON: &[Limit] = &[
    Refused(NotFinite),
    Otherwise(ExactTypes),
    Otherwise(ColumnsOfNoRows),
    Otherwise(MeasuredColumns),
];

fn in_folder(format: TableFormat, gzip: bool) -> (Vec<TempDir>, impl Fn() -> ObjectStoreIoManager) {
    let folders: Vec<TempDir> = Case::ALL.iter().map(|_| TempDir::new().unwrap()).collect();
    let paths: Vec<String> = folders
        .iter()
        .map(|folder| folder.path().to_str().unwrap().to_owned())
        .collect();
    // A new folder for each case.
    let next = std::cell::Cell::new(0);
    let make = move || {
        let path = &paths[next.replace(next.get() + 1)];
        ObjectStoreIoManager::open(path)
            .unwrap()
            .with_format(format)
            .with_gzip(gzip)
    };
    (folders, make)
}

#[tokio::test]
async fn parquet_files_conform() {
    let (_folders, make) = in_folder(TableFormat::Parquet, false);
    check_all(make, &[]).await;
}

#[tokio::test]
async fn csv_files_conform() {
    let (_folders, make) = in_folder(TableFormat::Csv, false);
    check_all(make, OF_CSV).await;
}

#[tokio::test]
async fn json_lines_files_conform() {
    let (_folders, make) = in_folder(TableFormat::JsonLines, false);
    check_all(make, OF_JSON).await;
}

#[tokio::test]
async fn compressed_files_conform() {
    let (_folders, make) = in_folder(TableFormat::Csv, true);
    check_all(make, OF_CSV).await;
    let (_folders, make) = in_folder(TableFormat::JsonLines, true);
    check_all(make, OF_JSON).await;
}

#[tokio::test]
async fn a_folder_of_a_store_conforms() {
    let make = || {
        let store = Arc::new(object_store::memory::InMemory::new());
        ObjectStoreIoManager::new(store, Path::from("some/folder"), "memory:")
    };
    check_all(make, &[]).await;
}

#[test]
fn a_killed_writer_leaves_whole_files() {
    let test = "manager::object_store::tests::a_killed_writer_leaves_whole_files";
    let folder = TempDir::new().unwrap();
    killed_writer(test, folder.path(), |folder| {
        ObjectStoreIoManager::open(folder.to_str().unwrap()).unwrap()
    });
}

#[test]
fn a_big_partition_takes_little_memory() {
    let test = "manager::object_store::tests::a_big_partition_takes_little_memory";
    let folder = TempDir::new().unwrap();
    big_partition(test, || {
        let uncompressed = ParquetOptions::new().compression(ParquetCompression::None);
        let manager = ObjectStoreIoManager::open(folder.path().to_str().unwrap()).unwrap();
        manager.with_parquet(uncompressed)
    });
}

#[cfg(feature = "s3")]
#[test]
fn a_bucket_without_a_name_is_an_error_with_advice() {
    let error = ObjectStoreIoManager::open("s3:///folder").unwrap_err();
    assert_eq!(
        error.to_string(),
        "`s3:///folder` is not a location for data: an S3 location is written `s3://bucket/folder`"
    );
}

#[tokio::test]
async fn memory_conforms() {
    check_all(MemoryIoManager::new, &[]).await;
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Nested {
    legs: Vec<i32>,
}

fn flights_address(partition: &str) -> Address {
    address_of("raw/flights", Some(partition), 1)
}

#[tokio::test]
async fn a_column_that_csv_cannot_hold_is_refused_with_an_alternative() {
    let csv = ObjectStoreIoManager::open("memory:")
        .unwrap()
        .with_format(TableFormat::Csv);
    let value = vec![Nested { legs: vec![1] }].into_asset().unwrap();
    let error = csv
        .store(&flights_address("2013-01-01"), value)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "asset `raw/flights`, partition `2013-01-01`: column `legs` is List(non-null Int32), which a CSV \
         file cannot hold; use the Parquet or the JSON lines IO manager"
    );
}

#[tokio::test]
async fn equal_tables_give_equal_files() {
    for format in [
        TableFormat::Parquet,
        TableFormat::Csv,
        TableFormat::JsonLines,
    ] {
        let rows: Vec<Nested> = (0..1000)
            .map(|n| Nested {
                legs: vec![n, n + 1],
            })
            .collect();
        let table = Table::from_rows(&rows).unwrap();
        let Ok(one) = format.encode_table(&table, &ParquetOptions::new()) else {
            assert_eq!(format, TableFormat::Csv);
            continue;
        };
        // Formats must not depend on time, addresses or hash order.
        let again = Table::from_rows(&rows).unwrap();
        assert!(
            one == format.encode_table(&again, &ParquetOptions::new()).unwrap(),
            "{format:?}"
        );
    }
}

#[tokio::test]
async fn rows_are_counted_in_a_file_older_than_the_column() {
    let schema_with = |name| TableSchema::from_iter([(name, "Int64", true)]);
    for format in [
        TableFormat::Parquet,
        TableFormat::Csv,
        TableFormat::JsonLines,
    ] {
        let folder = TempDir::new().unwrap();
        let manager = ObjectStoreIoManager::open(folder.path().to_str().unwrap()).unwrap();
        let manager = manager.with_format(format);
        let address = flights_address("p");
        let rows = Table::from_rows(&[1_i64, 2]).unwrap();
        // The rows have a column `value` only, while the declared schema has `gate`.
        let stored = manager.store(&address, rows.into_asset().unwrap()).await;
        let pointer = stored.unwrap().pointer;
        let now = DateTime::UNIX_EPOCH;
        for (check, found) in [
            (row_count(1..), "2 rows, expected at least 1"),
            (
                not_null("gate"),
                "could not evaluate: there is no column `gate`",
            ),
        ] {
            let request = check.load_request(Some(schema_with("gate")));
            let answer = manager.load(&address, &pointer, &request).await.unwrap();
            let measurement = Measurement::from_answer(&check.metric(), answer).unwrap();
            let result = check.evaluate(&measurement, None, now);
            assert_eq!(result.description.as_deref(), Some(found), "{format:?}");
        }
    }
}

#[tokio::test]
async fn a_folder_can_be_moved() {
    let old = TempDir::new().unwrap();
    let (before, after) = (old.path().join("before"), old.path().join("after"));
    let manager = ObjectStoreIoManager::open(before.to_str().unwrap()).unwrap();
    let address = flights_address("a/../b");
    let value = String::from("kept").into_asset().unwrap();
    let stored = manager.store(&address, value).await.unwrap();
    // Pointers are relative: the same pointer is valid in the new folder.
    std::fs::rename(&before, &after).unwrap();
    let manager = ObjectStoreIoManager::open(after.to_str().unwrap()).unwrap();
    let loaded = manager
        .load(&address, &stored.pointer, &LoadRequest::everything())
        .await
        .unwrap();
    assert_eq!(
        loaded.downcast::<Value>().unwrap(),
        Value::Text("kept".to_owned())
    );
}

#[tokio::test]
async fn a_truncated_file_is_an_error_with_its_path() {
    let folder = TempDir::new().unwrap();
    let manager = ObjectStoreIoManager::open(folder.path().to_str().unwrap()).unwrap();
    let address = flights_address("p");
    let value = vec![Nested { legs: vec![1] }].into_asset().unwrap();
    let stored = manager.store(&address, value).await.unwrap();
    let file = folder.path().join(&stored.pointer);
    let bytes = std::fs::read(&file).unwrap();
    // Without its end, the file has no footer.
    std::fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
    let error = manager
        .load(&address, &stored.pointer, &LoadRequest::everything())
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "asset `raw/flights`, partition `p`: `{}` in `{}` is damaged; make it again with `materialize --select \
             raw/flights --partitions p`",
            stored.pointer,
            folder.path().display()
        )
    );
}

#[tokio::test]
async fn a_file_in_the_way_of_a_folder_is_named() {
    let folder = TempDir::new().unwrap();
    let manager = ObjectStoreIoManager::open(folder.path().to_str().unwrap()).unwrap();
    // The asset's files belong in the folder `raw`.
    std::fs::write(folder.path().join("raw"), "in the way").unwrap();
    let value = String::from("x").into_asset().unwrap();
    let error = manager
        .store(&flights_address("p"), value)
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("a file is where a folder should be"),
        "{error}"
    );
}

#[test]
fn an_invalid_location_is_an_error_with_advice() {
    let message = |location: &str| {
        ObjectStoreIoManager::open(location)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        message("gs://bucket"),
        "`gs://bucket` is not a location for data: `gs:` is not known; write a folder such as `data`, or \
         `file:///folder`, `s3://bucket/folder`, `memory:`"
    );
    #[cfg(not(feature = "s3"))]
    assert_eq!(
        message("s3://bucket/folder"),
        "`s3://bucket/folder` is not a location for data: this build does not include S3; build it with `--features aws`, or write `precip = { .., features = [\"s3\"] }` in Cargo.toml"
    );
}

mod damage;
mod hive;

#[tokio::test]
async fn files_of_killed_writers_are_listed_as_attempts_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let manager = ObjectStoreIoManager::open(folder.path().to_str().unwrap()).unwrap();
    let address = address_of("raw/flights", Some("2013-01-01"), 1);
    let value = AssetValue::from(Value::Text("whole".to_owned()));
    let stored = manager.store(&address, value).await.unwrap();
    // As a process leaves them that is killed while it writes.
    let staged = folder.path().join(format!("{}#1", stored.pointer));
    std::fs::write(&staged, "wh").unwrap();
    let other = folder.path().join("raw/flights/notes#1");
    std::fs::write(&other, "").unwrap();
    let key = "raw/flights".parse().unwrap();
    let mut listed = manager.list(&key).await.unwrap();
    listed.sort_by(|one, other| one.pointer.cmp(&other.pointer));
    let pointers: Vec<&str> = listed.iter().map(|one| one.pointer.as_str()).collect();
    assert_eq!(
        pointers,
        [stored.pointer.as_str(), &format!("{}#1", stored.pointer)]
    );
    assert_eq!((listed[1].bytes, &listed[1].address), (2, &address));
    manager.remove(&listed[1].pointer).await.unwrap();
    manager.remove(&listed[1].pointer).await.unwrap();
    assert_eq!(manager.list(&key).await.unwrap().len(), 1);
    assert!(!staged.exists() && other.exists());
}

#[tokio::test]
async fn files_whose_folder_may_be_that_of_two_keys_are_never_garbage() {
    let folder = tempfile::tempdir().unwrap();
    let manager = ObjectStoreIoManager::open(folder.path().to_str().unwrap()).unwrap();
    let key = "daily".parse().unwrap();
    let write = |path: &str| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "n\n1\n").unwrap();
    };
    // As an older version stored them.
    write("daily/EWR/01JDC0Z5V9M3T8Q4W2X7Y6R1KA-1.csv");
    let listed = manager.list(&key).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].address.partition, Some("EWR".into()));
    // A file system that ignores case finds each file under small letters.
    write("daily/ewr/01jdc0z5v9m3t8q4w2x7y6r1ka-1.csv");
    let listed = manager.list(&key).await.unwrap();
    assert!(
        listed
            .iter()
            .all(|one| one.address.partition != Some("EWR".into())),
        "{listed:?}"
    );
}
