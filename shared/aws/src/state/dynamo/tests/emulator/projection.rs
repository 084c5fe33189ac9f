//! The projection on a table: replays, racing writers, rebuilding.

use precip_core::partitions::PartitionSet;
use precip_engine::state::{
    CheckOutcome, Event, MaterializationStore, PageRequest, PartitionStatuses, RunStore, Sequence,
    StateResult,
    conformance::{
        Harness,
        fixtures::{
            asset_key, check_evaluation, day_partition, failed_attempt, materialization_of,
            new_run, run_id,
        },
    },
};

use super::harness::Dynamo;

fn set_of(ordinals: impl IntoIterator<Item = u64>) -> PartitionSet {
    ordinals.into_iter().collect()
}

/// Batches are delivered again from different positions, and single records twice in a batch.
#[tokio::test]
async fn a_replayed_stream_ends_with_the_same_rows() -> StateResult<()> {
    let h = Dynamo::new().await;
    let store = &h.store;
    store.create_run(new_run(1, None)).await?;
    for n in 0..30 {
        let target = day_partition("flights", n * 500);
        match n % 3 {
            0 => drop(
                store
                    .record_failures(vec![failed_attempt(&target, run_id(1), 1)])
                    .await?,
            ),
            _ => drop(
                store
                    .commit_materializations(vec![materialization_of(&target, run_id(1), 1)])
                    .await?,
            ),
        }
    }
    let later = (0..10)
        .map(|n| materialization_of(&day_partition("flights", n * 1500), run_id(1 + n % 2), 2));
    store.commit_materializations(later.collect()).await?;
    store
        .wipe_partitions(&[day_partition("flights", 500)])
        .await?;
    // Failures, publications, later attempts, another run and a wipe are in one stream.
    let changes = h.read_changes().await.concat();
    let projector = h.projector();
    projector.apply_changes(&changes).await?;
    let flights = asset_key("flights");
    let seen = |until| {
        let flights = &flights;
        async move {
            StateResult::Ok((
                store.partition_statuses(flights).await?,
                store.run_progress(run_id(1)).await?,
                store.published_since(flights, until).await?,
            ))
        }
    };
    let (statuses, progress, updates) = seen(Sequence::default()).await?;
    assert!(!statuses.materialized.contains(500));
    // Each record twice in a row, then batches of several sizes from several positions.
    let twice: Vec<_> = changes
        .iter()
        .flat_map(|change| [change.clone(), change.clone()])
        .collect();
    projector.apply_changes(&twice).await?;
    for size in [1, 7, 20] {
        for from in [0, 11, 33] {
            for batch in changes[from..].chunks(size) {
                projector.apply_changes(batch).await?;
            }
        }
        let again = seen(Sequence::default()).await?;
        assert_eq!(again, (statuses.clone(), progress, updates.clone()));
    }
    // No update was announced a second time.
    let (.., after) = seen(updates.until).await?;
    assert_eq!(after.partitions, set_of([]));
    Ok(())
}

/// Eight readers of shards set bits of the same bitmaps concurrently.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn racing_projectors_lose_no_bit_and_no_update() -> StateResult<()> {
    let h = Dynamo::new().await;
    let all = (0..160).map(|n| materialization_of(&day_partition("flights", n), run_id(1), 1));
    h.store.commit_materializations(all.collect()).await?;
    let changes = h.read_changes().await.concat();
    let readers: Vec<_> = changes
        .chunks(20)
        .map(|batch| {
            let (projector, batch) = (h.projector(), batch.to_vec());
            tokio::spawn(async move { projector.apply_changes(&batch).await })
        })
        .collect();
    // A reader of the log that polls from its last position.
    let mut seen = PartitionSet::empty();
    let mut until = Sequence::default();
    for reader in readers {
        reader.await.unwrap()?;
        let updates = h
            .store
            .published_since(&asset_key("flights"), until)
            .await?;
        assert!(
            seen.is_disjoint(&updates.partitions),
            "{seen:?} {updates:?}"
        );
        seen |= &updates.partitions;
        until = updates.until;
    }
    assert_eq!(seen, set_of(0..160));
    let statuses = h.store.partition_statuses(&asset_key("flights")).await?;
    assert_eq!(statuses.materialized, set_of(0..160));
    assert_eq!(h.store.run_progress(run_id(1)).await?.succeeded, 160);
    Ok(())
}

/// The bitmaps are dropped and rebuilt from the latest rows.
#[tokio::test]
async fn dropped_bitmaps_are_rebuilt() -> StateResult<()> {
    let h = Dynamo::new().await;
    let flights = asset_key("flights");
    let all = (0..50).map(|n| materialization_of(&day_partition("flights", n * 997), run_id(1), 1));
    h.store.commit_materializations(all.collect()).await?;
    h.store
        .record_failures(vec![
            failed_attempt(&day_partition("flights", 997), run_id(2), 1),
            failed_attempt(&day_partition("flights", 3), run_id(2), 1),
        ])
        .await?;
    h.await_projections().await;
    let before = h.store.partition_statuses(&flights).await?;
    let projector = h.projector();
    projector.drop_statuses(&flights).await?;
    let nothing = h.store.partition_statuses(&flights).await?;
    assert_eq!(nothing, PartitionStatuses::default());
    projector.rebuild_statuses(&flights).await?;
    assert_eq!(h.store.partition_statuses(&flights).await?, before);
    // Bits without a row are cleared.
    projector
        .mark_materialized(&flights, &set_of(7_000_000..7_000_010))
        .await?;
    projector.rebuild_statuses(&flights).await?;
    assert_eq!(h.store.partition_statuses(&flights).await?, before);
    Ok(())
}

/// Records from before a renumbering, and rows that are new after it, set the right bits.
#[tokio::test]
async fn records_from_before_a_renumbering_set_the_new_bits() -> StateResult<()> {
    let h = Dynamo::new().await;
    let flights = asset_key("flights");
    let old = (0..20).map(|n| materialization_of(&day_partition("flights", n), run_id(1), 1));
    h.store.commit_materializations(old.collect()).await?;
    let early = h.read_changes().await.concat();
    // Written before the renumbering, and projected after it.
    let shifted = |key: Option<&precip_core::partitions::PartitionKey>| -> Option<u64> {
        let n: u64 = key?.as_str().strip_prefix("day-")?.parse().ok()?;
        Some(n + 10)
    };
    h.store
        .renumber_partitions(&flights, "v2", &shifted)
        .await?;
    let new = |n: u64| {
        materialization_of(
            &precip_engine::state::PartitionRef::new(flights.clone(), format!("day-{n}"), n + 10),
            run_id(2),
            1,
        )
    };
    h.store
        .commit_materializations(vec![new(3), new(40)])
        .await?;
    let late = h.read_changes().await.concat();
    let projector = h.projector();
    projector.apply_changes(&early).await?;
    projector.apply_changes(&late).await?;
    let expected: PartitionSet = set_of((10..30).chain([50]));
    assert_eq!(
        h.store.partition_statuses(&flights).await?.materialized,
        expected
    );
    let updates = h
        .store
        .published_since(&flights, Sequence::default())
        .await?;
    assert_eq!(updates.partitions, expected);
    projector.rebuild_statuses(&flights).await?;
    assert_eq!(
        h.store.partition_statuses(&flights).await?.materialized,
        expected
    );
    Ok(())
}

/// The last evaluation of a check remains the latest when later materializations do not evaluate it.
#[tokio::test]
async fn a_check_outlives_the_materialization_it_came_with() -> StateResult<()> {
    use precip_engine::state::CheckStore;
    let h = Dynamo::new().await;
    let target = day_partition("flights", 1);
    let mut first = materialization_of(&target, run_id(1), 1);
    let found = check_evaluation("rows", &target, run_id(1), 1, CheckOutcome::Failed);
    first.checks = vec![found.clone()];
    h.store.commit_materializations(vec![first.clone()]).await?;
    h.store
        .commit_materializations(vec![materialization_of(&target, run_id(2), 1)])
        .await?;
    h.await_projections().await;
    let latest = h.store.latest_checks(&target).await?;
    // The evaluation moved to a row of its own, and the partition still fails the check.
    assert_eq!(latest, std::slice::from_ref(&found));
    assert_eq!(h.store.failing_partitions(&found.check).await?, set_of([1]));
    let events = h
        .store
        .partition_events(&target, &PageRequest::first(9))
        .await?;
    assert!(events.items.contains(&Event::Checked(Box::new(found))));
    assert!(events.items.contains(&Event::Materialized(Box::new(first))));
    assert_eq!(events.items.len(), 3);
    Ok(())
}
