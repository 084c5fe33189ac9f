//! Sizes that stay small as the record grows.

use precip_core::partitions::PartitionSet;
use precip_engine::state::{
    MaterializationStore,
    conformance::fixtures::{asset_key, day_partition, materialization_of, run_id},
};
use rusqlite::Connection;

use crate::state::SqliteStore;

/// Concurrent writers share transactions: there are far fewer commits than writes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_writes_share_transactions() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let store = SqliteStore::open(&path).unwrap();
    let watcher = Connection::open(&path).unwrap();
    let blocker = Connection::open(&path).unwrap();
    // While the database is held, all writes gather. Only the first is in a transaction already.
    blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
    let writes: Vec<_> = (0..300)
        .map(|n| {
            let store = store.clone();
            tokio::spawn(async move {
                store
                    .commit_materializations(vec![materialization_of(
                        &day_partition("a", n),
                        run_id(1),
                        1,
                    )])
                    .await
            })
        })
        .collect();
    tokio::task::yield_now().await;
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    blocker.execute_batch("ROLLBACK").unwrap();
    let version = || -> i64 {
        // The version changes with every commit of another connection.
        watcher
            .query_row("PRAGMA data_version", [], |row| row.get(0))
            .unwrap()
    };
    let before = version();
    let mut seen = std::collections::BTreeSet::from([before]);
    for write in writes {
        write.await.unwrap().unwrap();
        seen.insert(version());
    }
    assert!(seen.len() <= 12, "{} commits for 300 writes", seen.len());
    let statuses = store.partition_statuses(&asset_key("a")).await.unwrap();
    assert_eq!(statuses.materialized, PartitionSet::from(0..300));
}

/// Status sets are read from bitmaps: 512 bytes for 4096 partitions, however long the log is.
#[tokio::test]
async fn a_segment_is_one_row_for_all_its_partitions() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let store = SqliteStore::open(&path).unwrap();
    for start in (0..9000).step_by(3000) {
        let batch =
            (start..start + 3000).map(|n| materialization_of(&day_partition("a", n), run_id(1), 1));
        // 9000 ordinals are in three segments of 4096.
        store
            .commit_materializations(batch.collect())
            .await
            .unwrap();
    }
    let watcher = Connection::open(&path).unwrap();
    let (rows, bytes): (u32, u32) = watcher
        .query_row(
            "SELECT count(*), sum(length(bits)) FROM segments",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    assert_eq!((rows, bytes), (3, 3 * 512));
    let statuses = store.partition_statuses(&asset_key("a")).await.unwrap();
    assert_eq!(statuses.materialized, PartitionSet::from(0..9000));
}
