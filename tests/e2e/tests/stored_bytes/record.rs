//! A record with something in every table: in SQLite, and in DynamoDB with its stream.

use precip_core::partitions::DynamicKeys;
use precip_engine::{
    run_id::RunId,
    state::{
        Event, PageRequest, PartitionRef, ReadConsistency, StateStore, TriggerId, TriggerKind,
    },
};
use precip_local::state::SqliteStore;
use precip_tests::stored::{restore_database, stored_fixture};
use serde_json::{Value, json};

use crate::read_json;

/// Returns the id of the record's `n`th run.
fn run_id(n: u64) -> RunId {
    format!("01HK153X0{n}000000000000000{n}").parse().unwrap()
}

/// Returns the partition `day-{n}` of an asset.
fn day_partition(asset: &str, n: u64) -> PartitionRef {
    PartitionRef::new(asset.parse().unwrap(), format!("day-{n}"), n)
}

/// Reads the records of runs, partitions, checks and ticks, in the format of `expected.json`.
async fn read_record(store: &dyn StateStore) -> Value {
    let page = PageRequest::first(100);
    let runs = store.list_runs(&Default::default(), &page).await.unwrap();
    let mut read = json!({"runs": runs.items});
    for n in 1..=3 {
        let run = run_id(n);
        read[format!("run {n}")] = json!({
            "failures": store.run_failures(run, &page).await.unwrap().items,
            "skips": store.run_untried(run).await.unwrap(),
            "failed_checks": store.run_failed_checks(run, &page).await.unwrap().items,
        });
    }
    for (asset, n) in [
        ("flights", 1),
        ("flights", 2),
        ("flights", 3),
        ("delays", 4),
    ] {
        let target = day_partition(asset, n);
        let latest = store
            .latest_materialization(&target, ReadConsistency::Strong)
            .await
            .unwrap();
        let events = store.partition_events(&target, &page).await.unwrap().items;
        read[target.to_string()] = json!({
            "published": latest.as_ref().and_then(|latest| latest.published()),
            "failure": latest.as_ref().and_then(|latest| latest.failure.as_ref()),
            "checks": store.latest_checks(&target).await.unwrap(),
            "events": events.iter().map(event_record).collect::<Vec<_>>(),
        });
    }
    let ticks = store.list_ticks(&landing_sensor(), &page).await.unwrap();
    read["ticks"] = json!(ticks.items);
    read
}

/// Returns the stored record of an event.
fn event_record(event: &Event) -> Value {
    match event {
        Event::Started(start) => json!(start),
        Event::Materialized(materialization) => json!(materialization),
        Event::Failed(failure) => json!(failure),
        Event::Checked(evaluation) => json!(evaluation),
        Event::Skipped(_) => unreachable!("the earlier version had no skipped attempts"),
    }
}

fn landing_sensor() -> TriggerId {
    TriggerId::new(TriggerKind::Sensor, "landing")
}

/// Checks that a store reads what the earlier version read, and what it kept in its other rows.
async fn assert_reads_the_record(store: &dyn StateStore) {
    let (read, expected) = (read_record(store).await, read_json("record/expected.json"));
    // One entry at a time, so that a difference is small enough to see.
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(read[name], *value, "{name}");
    }

    let flights = "flights".parse().unwrap();
    let statuses = store.partition_statuses(&flights).await.unwrap();
    assert_eq!(statuses.materialized.iter().collect::<Vec<_>>(), [1, 2, 3]);
    assert!(statuses.failed.is_empty() && statuses.in_progress.is_empty());
    let updates = store.published_since(&flights, Default::default()).await;
    let updated = updates.unwrap().partitions;
    assert_eq!(updated.iter().collect::<Vec<_>>(), [1, 2, 3]);
    let fresh = "delays:fresh".parse().unwrap();
    let failing = store.failing_partitions(&fresh).await.unwrap();
    assert_eq!(failing.iter().collect::<Vec<_>>(), [4]);

    let progress = store.run_progress(run_id(1)).await.unwrap();
    assert_eq!(
        (progress.succeeded, progress.failed, progress.held_back),
        (2, 1, 4)
    );
    let keys = store.dynamic_keys("files").await.unwrap();
    let history = [("b", true), ("a", false), ("c", true)];
    let history = history.map(|(key, present)| (key.into(), present));
    assert_eq!(keys, DynamicKeys::from_history(history));

    let start = "2024-01-01T00:00:00Z".parse().unwrap();
    let pool = store.pool_state("warehouse", start).await.unwrap();
    assert_eq!((pool.limit, pool.slots.len()), (Some(2), 1));
    assert_eq!(pool.slots[0].holder.0, "run/op/1");
    let sensor = store.trigger_state(&landing_sensor()).await.unwrap();
    assert_eq!(
        (sensor.revision, sensor.cursor.as_deref(), sensor.enabled),
        (3, Some("file-2"), Some(true))
    );
}

#[tokio::test]
async fn a_database_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    restore_database(&stored_fixture("record/state.sql"), &path).unwrap();
    assert_reads_the_record(&SqliteStore::open(&path).unwrap()).await;
}

#[cfg(feature = "aws")]
mod emulator {
    use std::collections::BTreeMap;

    use aws_lambda_events::event::dynamodb::Event as StreamEvent;
    use precip_aws::state::dynamo::{harness::Dynamo, projection::Change};
    use serde_dynamo::AttributeValue;
    use serde_json::{Value, json};

    use super::assert_reads_the_record;
    use crate::read_json;

    /// Returns a table with the stored rows, before anything was projected.
    async fn restore_table() -> Dynamo {
        let dynamo = Dynamo::new().await;
        let client = dynamo.aws.dynamodb();
        for row in read_json("record/written.json").as_array().unwrap() {
            let item: BTreeMap<String, AttributeValue> =
                serde_json::from_value(row.clone()).unwrap();
            let mut put = client.put_item().table_name(&dynamo.table);
            for (name, value) in item {
                put = put.item(name, value.into());
            }
            put.send().await.unwrap();
        }
        dynamo
    }

    /// Returns the changes of the stored stream, as the function that receives them reads them.
    fn stored_changes() -> Vec<Change> {
        let event: StreamEvent = serde_json::from_value(read_json("record/stream.json")).unwrap();
        let records = event.records.into_iter().map(|record| record.change);
        records
            .map(|record| {
                Change::new(
                    record.keys.into_inner(),
                    record.old_image.into_inner(),
                    record.new_image.into_inner(),
                )
            })
            .collect()
    }

    /// Reads all rows of the table, by key.
    async fn scan_table(dynamo: &Dynamo) -> BTreeMap<String, Value> {
        let client = dynamo.aws.dynamodb();
        let answer = client.scan().table_name(&dynamo.table).send().await;
        let rows = answer.unwrap().items.unwrap().into_iter().map(|row| {
            let row: BTreeMap<String, AttributeValue> = row
                .into_iter()
                .map(|(name, value)| (name, value.into()))
                .collect();
            json!(row)
        });
        rows.map(|row| (row_key(&row), without_expiry(row)))
            .collect()
    }

    /// Removes when a row expires, which follows from the time of the projection.
    fn without_expiry(mut row: Value) -> Value {
        row.as_object_mut().unwrap().remove("ttl");
        row
    }

    fn row_key(row: &Value) -> String {
        format!("{} {}", row["pk"]["S"], row["sk"]["S"])
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_stream_is_projected_to_the_same_rollups() {
        let dynamo = restore_table().await;
        let projector = dynamo.projector();
        let projected = projector.apply_changes(&stored_changes()).await.unwrap();

        // What is sent on: two runs ended, and the assets and keys that changed.
        let changes = projected.change_set();
        assert_eq!(changes.ended.len(), 2);
        assert!(changes.published.contains("flights") && changes.changed.contains("delays"));
        assert!(changes.dynamic_sets.contains("files"));

        let rows = scan_table(&dynamo).await;
        let expected = read_json("record/projected.json");
        let expected = expected.as_array().unwrap();
        for row in expected {
            let expected = without_expiry(row.clone());
            assert_eq!(rows.get(&row_key(row)), Some(&expected), "{}", row_key(row));
        }
        assert_eq!(rows.len(), expected.len(), "no other row was written");
        assert_reads_the_record(&dynamo.store).await;
    }
}
