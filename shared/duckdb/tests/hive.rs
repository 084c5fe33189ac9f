//! Checks that DuckDB reads files in the Hive layout as one table.

use duckdb::Connection;
use precip_engine::io::IoManager;
use precip_io::{HiveLayout, IntoAsset, ObjectStoreIoManager, conformance::testing::address_of};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Flight {
    /// A column named like a partition column.
    date: String,
    carrier: String,
}

#[tokio::test]
async fn folders_become_columns() {
    let folder = tempfile::TempDir::new().unwrap();
    let manager = ObjectStoreIoManager::open(folder.path().to_str().unwrap())
        .unwrap()
        .with_hive_layout(HiveLayout::by(["date", "origin"]));
    for (attempt, key) in (1..).zip(["2013-01-01|EWR", "2013-01-01|JFK", "2013-01-02|EWR"]) {
        let address = address_of("raw/flights", Some(key), attempt);
        let flight = |carrier: &str| Flight {
            date: "of the file".to_owned(),
            carrier: carrier.to_owned(),
        };
        let rows = vec![flight("UA"), flight("DL")];
        let stored = manager.store(&address, rows.into_asset().unwrap()).await;
        stored.unwrap();
    }
    let files = folder.path().join("raw/flights/*/*/*.parquet");
    let found = Connection::open_in_memory()
        .unwrap()
        .prepare(
            "SELECT date || ' ' || origin || ' ' || count(*)
             FROM read_parquet(?, hive_partitioning = true, hive_types_autocast = false)
             GROUP BY date, origin ORDER BY 1",
        )
        .unwrap()
        .query_map([files.to_str().unwrap()], |row| row.get(0))
        .unwrap()
        .collect::<Result<Vec<String>, _>>()
        .unwrap();
    assert_eq!(
        found,
        ["2013-01-01 EWR 2", "2013-01-01 JFK 2", "2013-01-02 EWR 2"]
    );
}
