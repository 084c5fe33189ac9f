//! The projection against the table: replays, racing writers, rebuilding.

use precip_core::partitions::PartitionSet;
use precip_engine::state::{
    CheckOutcome, Event, MaterializationStore, PageRequest, PartitionStatuses, RunStore, Sequence,
    StateResult,
    conformance::{
        Harness,
        fixtures::{asset, checked, day, failed, made, new_run, run_id},
    },
};

use super::harness::Dynamo;

fn set(ordinals: impl IntoIterator<Item = u64>) -> PartitionSet {
    ordinals.into_iter().collect()
}

/// Whole batches come again, from wherever the reader last put down how far it was; and single records
/// come twice in a batch.
#[tokio::test]
async fn a_replayed_stream_ends_with_the_same() -> StateResult<()> {
    let h = Dynamo::new().await;
    let store = &h.store;
    store.create_run(new_run(1, None)).await?;
    for n in 0..30 {
        let target = day("flights", n * 500);
        match n % 3 {
            0 => drop(store.fail(vec![failed(&target, run_id(1), 1)]).await?),
            _ => drop(store.finish(vec![made(&target, run_id(1), 1)]).await?),
        }
    }
    let later = (0..10).map(|n| made(&day("flights", n * 1500), run_id(1 + n % 2), 2));
    store.finish(later.collect()).await?;
    store.wipe(&[day("flights", 500)]).await?;
    let changes = h.changes().await.concat();
    let projector = h.projector();
    projector.apply(&changes).await?;
    let flights = asset("flights");
    let seen = |until| {
        let flights = &flights;
        async move {
            StateResult::Ok((
                store.statuses(flights).await?,
                store.progress(run_id(1)).await?,
                store.updates(flights, until).await?,
            ))
        }
    };
    let (statuses, progress, updates) = seen(Sequence::default()).await?;
    assert!(!statuses.materialized.contains(500));
    let twice: Vec<_> = changes
        .iter()
        .flat_map(|change| [change.clone(), change.clone()])
        .collect();
    projector.apply(&twice).await?;
    for size in [1, 7, 20] {
        for from in [0, 11, 33] {
            for batch in changes[from..].chunks(size) {
                projector.apply(batch).await?;
            }
        }
        let again = seen(Sequence::default()).await?;
        assert_eq!(again, (statuses.clone(), progress, updates.clone()));
    }
    // No update was announced a second time.
    let (.., after) = seen(updates.until).await?;
    assert_eq!(after.partitions, set([]));
    Ok(())
}

/// Eight readers of shards set bits of the same bitmaps at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn racing_projectors_lose_no_bit_and_no_update() -> StateResult<()> {
    let h = Dynamo::new().await;
    let all = (0..160).map(|n| made(&day("flights", n), run_id(1), 1));
    h.store.finish(all.collect()).await?;
    let changes = h.changes().await.concat();
    let readers: Vec<_> = changes
        .chunks(20)
        .map(|batch| {
            let (projector, batch) = (h.projector(), batch.to_vec());
            tokio::spawn(async move { projector.apply(&batch).await })
        })
        .collect();
    // A reader of the log that looks all the time, and asks from where it was.
    let mut seen = PartitionSet::empty();
    let mut until = Sequence::default();
    for reader in readers {
        reader.await.unwrap()?;
        let updates = h.store.updates(&asset("flights"), until).await?;
        assert!(
            seen.is_disjoint(&updates.partitions),
            "{seen:?} {updates:?}"
        );
        seen |= &updates.partitions;
        until = updates.until;
    }
    assert_eq!(seen, set(0..160));
    let statuses = h.store.statuses(&asset("flights")).await?;
    assert_eq!(statuses.materialized, set(0..160));
    assert_eq!(h.store.progress(run_id(1)).await?.succeeded, 160);
    Ok(())
}

/// The bitmaps are dropped, and made again from the latest rows.
#[tokio::test]
async fn dropped_bitmaps_are_rebuilt() -> StateResult<()> {
    let h = Dynamo::new().await;
    let flights = asset("flights");
    let all = (0..50).map(|n| made(&day("flights", n * 997), run_id(1), 1));
    h.store.finish(all.collect()).await?;
    h.store
        .fail(vec![
            failed(&day("flights", 997), run_id(2), 1),
            failed(&day("flights", 3), run_id(2), 1),
        ])
        .await?;
    h.settle().await;
    let before = h.store.statuses(&flights).await?;
    let projector = h.projector();
    projector.drop_statuses(&flights).await?;
    let nothing = h.store.statuses(&flights).await?;
    assert_eq!(nothing, PartitionStatuses::default());
    projector.rebuild(&flights).await?;
    assert_eq!(h.store.statuses(&flights).await?, before);
    // Bits that nothing stands for go away.
    projector
        .mark_materialized(&flights, &set(7_000_000..7_000_010))
        .await?;
    projector.rebuild(&flights).await?;
    assert_eq!(h.store.statuses(&flights).await?, before);
    Ok(())
}

/// Records from before a renumbering, and rows that were new after it, come to the right place.
#[tokio::test]
async fn records_from_before_a_renumbering_do_no_harm() -> StateResult<()> {
    let h = Dynamo::new().await;
    let flights = asset("flights");
    let old = (0..20).map(|n| made(&day("flights", n), run_id(1), 1));
    h.store.finish(old.collect()).await?;
    let early = h.changes().await.concat();
    let shifted = |key: Option<&precip_core::partitions::PartitionKey>| -> Option<u64> {
        let n: u64 = key?.as_str().strip_prefix("day-")?.parse().ok()?;
        Some(n + 10)
    };
    h.store.renumber(&flights, "v2", &shifted).await?;
    let new = |n: u64| {
        made(
            &precip_engine::state::PartitionRef::new(flights.clone(), format!("day-{n}"), n + 10),
            run_id(2),
            1,
        )
    };
    h.store.finish(vec![new(3), new(40)]).await?;
    let late = h.changes().await.concat();
    let projector = h.projector();
    projector.apply(&early).await?;
    projector.apply(&late).await?;
    let expected: PartitionSet = set((10..30).chain([50]));
    assert_eq!(h.store.statuses(&flights).await?.materialized, expected);
    let updates = h.store.updates(&flights, Sequence::default()).await?;
    assert_eq!(updates.partitions, expected);
    projector.rebuild(&flights).await?;
    assert_eq!(h.store.statuses(&flights).await?.materialized, expected);
    Ok(())
}

/// The evaluation of a check that is not made any more stays the latest that is known.
#[tokio::test]
async fn a_check_outlives_the_materialization_it_came_with() -> StateResult<()> {
    use precip_engine::state::CheckStore;
    let h = Dynamo::new().await;
    let target = day("flights", 1);
    let mut first = made(&target, run_id(1), 1);
    let found = checked("rows", &target, run_id(1), 1, CheckOutcome::Failed);
    first.checks = vec![found.clone()];
    h.store.finish(vec![first.clone()]).await?;
    h.store.finish(vec![made(&target, run_id(2), 1)]).await?;
    h.settle().await;
    let latest = h.store.latest_checks(&target).await?;
    assert_eq!(latest, std::slice::from_ref(&found));
    assert_eq!(h.store.failing(&found.check).await?, set([1]));
    let events = h.store.events(&target, &PageRequest::first(9)).await?;
    assert!(events.items.contains(&Event::Checked(Box::new(found))));
    assert!(events.items.contains(&Event::Materialized(Box::new(first))));
    assert_eq!(events.items.len(), 3);
    Ok(())
}
