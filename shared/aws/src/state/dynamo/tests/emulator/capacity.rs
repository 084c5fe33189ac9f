//! The cost of calls, in DynamoDB's own count.
//!
//! The emulator counts writes by their size, as DynamoDB does, and undercounts reads: half a unit per
//! request, whatever the size of the answer. So the cost of a read is also computed here from the sizes of
//! the rows, by DynamoDB's rule.

use precip_core::{metadata::MetadataValue, partitions::PartitionSet};
use precip_engine::state::{
    CommitOutcome, MaterializationStore, ReadConsistency, StateResult,
    conformance::{
        Harness,
        fixtures::{asset_key, day_partition, failed_attempt, materialization_of, run_id},
    },
};

use super::harness::Dynamo;
use crate::state::dynamo::Capacity;

/// A first materialization is one write of one unit, and so is one that replaces another, or follows a
/// failure.
#[tokio::test]
async fn a_materialization_costs_one_write_unit() -> StateResult<()> {
    let h = Dynamo::new().await;
    let target = day_partition("raw/flights_by_day_and_origin", 7);
    // Each run fails once and then publishes: the first, and two that replace it.
    for run in 1..4 {
        h.store
            .record_failures(vec![failed_attempt(&target, run_id(run), 1)])
            .await?;
        h.store.meter().take_total();
        let done = h
            .store
            .commit_materializations(vec![materialization_of(&target, run_id(run), 2)])
            .await?;
        assert_eq!(done, [CommitOutcome::Committed]);
        let used = h.store.meter().take_total();
        let expected = Capacity {
            write: 1.0,
            requests: 1,
            ..Capacity::default()
        };
        assert_eq!(used, expected, "run {run}");
    }
    Ok(())
}

/// A repetitive record of more than 1 KB of JSON is compressed.
#[tokio::test]
async fn a_record_is_compressed_to_stay_within_one_unit() -> StateResult<()> {
    let h = Dynamo::new().await;
    let mut item = materialization_of(&day_partition("flights", 1), run_id(1), 1);
    for column in 0..60 {
        let (name, value) = (format!("column_{column}"), MetadataValue::Int(column * 17));
        item.metadata.insert(name, value);
    }
    assert!(serde_json::to_string(&item).unwrap().len() > 2048);
    h.store.commit_materializations(vec![item.clone()]).await?;
    assert_eq!(h.store.meter().take_total().write, 1.0);
    let latest = h
        .store
        .latest_materialization(&item.target, ReadConsistency::Strong)
        .await?;
    assert_eq!(latest.unwrap().published(), Some(&item));
    Ok(())
}

/// Reading 40 upstream pointers costs 20 units, and the partition's own row half a unit.
#[tokio::test]
async fn an_upstream_pointer_costs_half_a_read_unit() -> StateResult<()> {
    let h = Dynamo::new().await;
    let upstream: Vec<_> = (0..40).map(|n| day_partition("raw", n)).collect();
    let all = upstream
        .iter()
        .map(|target| materialization_of(target, run_id(1), 1));
    h.store.commit_materializations(all.collect()).await?;
    // One unit each: every row is smaller than 1 KB, so a read (up to 4 KB) costs half a unit.
    assert_eq!(h.store.meter().take_total().write, 40.0);
    let own = day_partition("flights", 0);
    h.store
        .latest_materialization(&own, ReadConsistency::Eventual)
        .await?;
    let read = h
        .store
        .latest_materializations(&upstream, ReadConsistency::Eventual);
    assert!(read.await?.iter().all(Option::is_some));
    let used = h.store.meter().take_total();
    assert!(used.read <= 0.5 * 40.0 + 0.5, "{used:?}");
    assert_eq!((used.write, used.requests), (0.0, 2));
    Ok(())
}

/// The refusal itself names the newer run, so nothing is read to find it.
#[tokio::test]
async fn a_refused_commit_reads_nothing() -> StateResult<()> {
    let h = Dynamo::new().await;
    let target = day_partition("flights", 1);
    h.store
        .commit_materializations(vec![materialization_of(&target, run_id(2), 1)])
        .await?;
    h.store.meter().take_total();
    let answer = h
        .store
        .commit_materializations(vec![materialization_of(&target, run_id(1), 1)])
        .await?;
    assert_eq!(answer, [CommitOutcome::Superseded { by: run_id(2) }]);
    let used = h.store.meter().take_total();
    assert_eq!((used.read, used.write), (0.0, 0.0), "{used:?}");
    Ok(())
}

/// 100,000 partitions, some of them missing at random: two requests of one page each.
#[tokio::test]
async fn finding_missing_partitions_of_100_000_costs_ten_read_units_at_most() -> StateResult<()> {
    const ALL: u64 = 100_000;
    let h = Dynamo::new().await;
    let flights = asset_key("flights");
    // The bitmaps are written directly: other tests publish partitions one by one.
    let missing = |n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 60 == 0;
    let made: PartitionSet = (0..ALL).filter(|n| !missing(*n)).collect();
    h.projector().mark_materialized(&flights, &made).await?;
    h.store.meter().take_total();
    let statuses = h.store.partition_statuses(&flights).await?;
    let used = h.store.meter().take_total();
    let all: PartitionSet = (0..ALL).into();
    let found = &all - &statuses.materialized;
    assert_eq!(found, (0..ALL).filter(|n| missing(*n)).collect());
    assert!(used.read <= 10.0 && used.requests <= 2, "{used:?}");
    // A page holds 1 MB; a list costs half a unit for each 4 KB of it, and the other list is empty.
    let bytes = h.projector().status_bytes(&flights).await?;
    assert!(bytes < 1 << 20, "{bytes}");
    let units = 0.5 * bytes.div_ceil(4096) as f64 + 0.5;
    assert!(units <= 10.0, "{units} for {bytes} bytes");
    Ok(())
}

/// A thousand partitions of one asset in one batch: a bitmap of the asset, one of the run, one row of
/// the update log. Repeating the batch writes nothing.
#[tokio::test]
async fn a_batch_of_the_stream_is_a_handful_of_writes() -> StateResult<()> {
    let h = Dynamo::new().await;
    let all = (0..1000).map(|n| materialization_of(&day_partition("flights", n), run_id(1), 1));
    h.store.commit_materializations(all.collect()).await?;
    let changes: Vec<_> = h.read_changes().await.into_iter().flatten().collect();
    assert_eq!(changes.len(), 1000);
    let projector = h.projector();
    projector.apply_changes(&changes).await?;
    let first = projector.meter().take_total();
    assert!(first.requests <= 12, "{first:?}");
    // The bitmaps take 1 unit each; the log's row and head are a transaction, with 8 bytes an update.
    assert!(first.write <= 24.0, "{first:?}");
    projector.apply_changes(&changes).await?;
    let again = projector.meter().take_total();
    // The log finds the stamps, and the bitmaps are as they were.
    assert_eq!(again.write, 0.0, "{again:?}");
    Ok(())
}

/// History costs one more unit, and only when a record is superseded.
#[tokio::test]
async fn only_superseded_records_are_archived() -> StateResult<()> {
    let h = Dynamo::new().await;
    let target = day_partition("flights", 1);
    h.store
        .commit_materializations(vec![materialization_of(&target, run_id(1), 1)])
        .await?;
    h.await_projections().await;
    let rows = |run| {
        h.store
            .commit_materializations(vec![materialization_of(&target, run_id(run), 1)])
    };
    rows(2).await?;
    let changes = h.read_changes().await.concat();
    let projector = h.projector();
    let projected = projector.apply_changes(&changes).await?;
    let expected = [(asset_key("flights"), PartitionSet::single(1))].into();
    assert_eq!(projected.published, expected);
    // The archive, the bitmap of the run, and the log's transaction of two rows.
    assert_eq!(projector.meter().take_total().write, 1.0 + 1.0 + 4.0);
    Ok(())
}
