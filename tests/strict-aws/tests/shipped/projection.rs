//! The projection of the stream, as Lambda delivers it: by shard, in batches, repeatedly, at once.

use futures::future::join_all;
use precip_aws::state::dynamo::projection::Change;
use precip_core::partitions::PartitionSet;
use precip_engine::state::{
    PartitionStatuses, RunProgress, Sequence, StateResult, StateStore, Updates,
    conformance::{
        Harness,
        fixtures::{asset_key, day_partition, failed_attempt, materialization_of, new_run, run_id},
    },
};

use crate::world::{StrictHarness, World};

type Seen = (PartitionStatuses, RunProgress, Updates);

async fn read_derived(store: &dyn StateStore) -> StateResult<Seen> {
    let flights = asset_key("flights");
    Ok((
        store.partition_statuses(&flights).await?,
        store.run_progress(run_id(1)).await?,
        store.published_since(&flights, Sequence::default()).await?,
    ))
}

/// Publishes, fails, publishes again and wipes partitions, and returns the changes.
async fn make_history(harness: &StrictHarness) -> StateResult<Vec<Vec<Change>>> {
    let store = harness.store();
    store.create_run(new_run(1, None)).await?;
    for n in 0..30 {
        let target = day_partition("flights", n * 500);
        if n % 3 == 0 {
            let failed = failed_attempt(&target, run_id(1), 1);
            store.record_failures(vec![failed]).await?;
        } else {
            let made = materialization_of(&target, run_id(1), 1);
            store.commit_materializations(vec![made]).await?;
        }
    }
    let later = (0..10).map(|n| {
        let target = day_partition("flights", n * 1500);
        materialization_of(&target, run_id(1 + n % 2), 2)
    });
    store.commit_materializations(later.collect()).await?;
    store
        .wipe_partitions(&[day_partition("flights", 500)])
        .await?;
    Ok(harness.read_changes())
}

#[test]
fn a_replayed_stream_ends_with_the_same_rows() -> StateResult<()> {
    let mut world = World::new(1);
    let harness = world.harness();
    world.kernel.run(async {
        let batches = make_history(&harness).await?;
        let (projector, store) = (harness.projector(), harness.store());
        for batch in &batches {
            projector.apply_changes(batch).await?;
        }
        let seen = read_derived(store.as_ref()).await?;
        assert!(!seen.0.materialized.contains(500));
        // Each record twice in a row, then smaller batches from several positions.
        for batch in &batches {
            let twice: Vec<Change> = batch
                .iter()
                .flat_map(|change| [change.clone(), change.clone()])
                .collect();
            projector.apply_changes(&twice).await?;
            for from in [0, batch.len() / 2] {
                for part in batch[from..].chunks(3) {
                    projector.apply_changes(part).await?;
                }
            }
            assert_eq!(read_derived(store.as_ref()).await?, seen);
        }
        // Shards have no order among them.
        for batch in batches.iter().rev() {
            projector.apply_changes(batch).await?;
        }
        assert_eq!(read_derived(store.as_ref()).await?, seen);
        StateResult::Ok(())
    })?;
    assert_eq!(world.aws.mistakes(), []);
    Ok(())
}

/// Shards are read at once, and each batch twice at once, as after a lost answer of the function.
#[test]
fn racing_projectors_lose_no_bit_and_no_update() -> StateResult<()> {
    let mut world = World::new(2);
    let harness = world.harness();
    world.kernel.run(async {
        let batches = make_history(&harness).await?;
        let store = harness.store();
        // Everything was published in the end, and one partition wiped.
        let ordinals = (0..30).map(|n| n * 500);
        let expected: PartitionSet = ordinals.filter(|ordinal| *ordinal != 500).collect();
        let racing = batches.iter().chain(&batches).map(|batch| {
            let projector = harness.projector();
            async move { projector.apply_changes(batch).await }
        });
        for applied in join_all(racing).await {
            applied?;
        }
        let seen = read_derived(store.as_ref()).await?;
        assert_eq!(seen.0.materialized, expected);
        // A rebuild from the latest rows finds nothing to mend.
        harness
            .projector()
            .rebuild_statuses(&asset_key("flights"))
            .await?;
        assert_eq!(read_derived(store.as_ref()).await?.0, seen.0);
        StateResult::Ok(())
    })?;
    assert_eq!(world.aws.mistakes(), []);
    Ok(())
}
