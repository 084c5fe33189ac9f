//! Rules of the commit protocol.

use precip_core::{metadata::MetadataValue, partitions::PartitionKey};

use super::{
    Harness,
    fixtures::{
        asset_key, at_second, attempt_start, check_evaluation, collect_pages, day_partition,
        failed_attempt, materialization_of, run_id,
    },
    run_at_once,
};
use crate::state::{
    CheckOutcome, CommitOutcome, Event, Latest, MAX_RECORD_BYTES, PageRequest, PartitionRef,
    ReadConsistency, StateErrorKind, StateResult,
};

/// A committed materialization is read back with every field.
pub async fn a_materialization_is_read_back_unchanged(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    let target = day_partition("flights", 7);
    assert_eq!(
        store
            .latest_materialization(&target, ReadConsistency::Strong)
            .await?,
        None
    );
    // Nothing is known before the commit, and every field is known after it.
    let mut item = materialization_of(&target, run_id(1), 1);
    item.checks = vec![check_evaluation(
        "fresh",
        &target,
        run_id(1),
        1,
        CheckOutcome::Passed,
    )];
    assert_eq!(
        store.commit_materializations(vec![item.clone()]).await?,
        [CommitOutcome::Committed]
    );
    let latest = store
        .latest_materialization(&target, ReadConsistency::Strong)
        .await?
        .expect("it is published");
    assert_eq!(latest.published(), Some(&item));
    assert_eq!(latest.failure, None);
    assert!(latest.is_published_by(run_id(1)));
    assert!(!latest.is_published_by(run_id(2)));
    Ok(())
}

/// A repeated commit replaces the first one and is no update for downstream assets.
pub async fn the_same_attempt_again_is_committed_and_counts_once(
    h: &dyn Harness,
) -> StateResult<()> {
    let store = h.store();
    let target = day_partition("flights", 7);
    let first = materialization_of(&target, run_id(1), 1);
    store.commit_materializations(vec![first.clone()]).await?;
    let before = published_sequence(
        store
            .latest_materialization(&target, ReadConsistency::Strong)
            .await?,
    );
    let mut second = first;
    second.data_version = "other".to_owned();
    assert_eq!(
        store.commit_materializations(vec![second.clone()]).await?,
        [CommitOutcome::Committed]
    );
    // The second commit is visible, with the sequence number of the first.
    let latest = store
        .latest_materialization(&target, ReadConsistency::Strong)
        .await?;
    assert_eq!(latest.as_ref().and_then(Latest::published), Some(&second));
    assert_eq!(published_sequence(latest), before);
    // The log has one event for the attempt.
    let log = store
        .partition_events(&target, &PageRequest::first(10))
        .await?;
    assert_eq!(log.items, [Event::Materialized(Box::new(second))]);
    Ok(())
}

fn published_sequence(latest: Option<Latest>) -> Option<crate::state::Sequence> {
    latest?.materialization.map(|(_, sequence)| sequence)
}

/// A zombie of an older run is refused, so readers never see its output.
pub async fn a_late_zombie_of_an_older_run_is_refused(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    let target = day_partition("flights", 7);
    let newer = materialization_of(&target, run_id(2), 1);
    store.commit_materializations(vec![newer.clone()]).await?;
    // The number of the attempt does not help an older run.
    for attempt in [1, 9] {
        let answer = store
            .commit_materializations(vec![materialization_of(&target, run_id(1), attempt)])
            .await?;
        assert_eq!(answer, [CommitOutcome::Superseded { by: run_id(2) }]);
    }
    let latest = store
        .latest_materialization(&target, ReadConsistency::Strong)
        .await?;
    assert_eq!(latest.as_ref().and_then(Latest::published), Some(&newer));
    // A refused commit is not logged.
    let log = store
        .partition_events(&target, &PageRequest::first(10))
        .await?;
    assert_eq!(log.items.len(), 1);
    Ok(())
}

/// An attempt that was presumed dead is refused after its retry.
pub async fn a_late_attempt_of_the_same_run_is_refused(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    let target = day_partition("flights", 7);
    let second = materialization_of(&target, run_id(1), 2);
    store.commit_materializations(vec![second.clone()]).await?;
    let late = store
        .commit_materializations(vec![materialization_of(&target, run_id(1), 1)])
        .await?;
    assert_eq!(late, [CommitOutcome::AlreadyDone { attempt: 2 }]);
    // A later attempt still replaces it.
    let third = materialization_of(&target, run_id(1), 3);
    assert_eq!(
        store.commit_materializations(vec![third.clone()]).await?,
        [CommitOutcome::Committed]
    );
    let latest = store
        .latest_materialization(&target, ReadConsistency::Strong)
        .await?;
    assert_eq!(latest.as_ref().and_then(Latest::published), Some(&third));
    Ok(())
}

/// A newer run replaces an older one at any attempt.
pub async fn a_newer_run_replaces_an_older_one(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    let target = PartitionRef::unpartitioned(asset_key("airlines"));
    store
        .commit_materializations(vec![materialization_of(&target, run_id(1), 5)])
        .await?;
    let before = published_sequence(
        store
            .latest_materialization(&target, ReadConsistency::Strong)
            .await?,
    );
    let newer = materialization_of(&target, run_id(2), 1);
    assert_eq!(
        store.commit_materializations(vec![newer.clone()]).await?,
        [CommitOutcome::Committed]
    );
    let latest = store
        .latest_materialization(&target, ReadConsistency::Strong)
        .await?;
    assert_eq!(latest.as_ref().and_then(Latest::published), Some(&newer));
    // Unlike a repeated attempt, it is an update for downstream assets.
    assert!(published_sequence(latest) > before);
    Ok(())
}

/// A refused item does not affect the other items of its batch.
pub async fn a_batch_returns_one_outcome_per_item(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    store
        .commit_materializations(vec![materialization_of(
            &day_partition("a", 1),
            run_id(5),
            1,
        )])
        .await?;
    // The middle item meets a newer run; the items around it are free.
    let batch = vec![
        materialization_of(&day_partition("a", 0), run_id(4), 1),
        materialization_of(&day_partition("a", 1), run_id(4), 1),
        materialization_of(&day_partition("b", 1), run_id(4), 1),
    ];
    assert_eq!(
        store.commit_materializations(batch).await?,
        [
            CommitOutcome::Committed,
            CommitOutcome::Superseded { by: run_id(5) },
            CommitOutcome::Committed
        ]
    );
    assert_eq!(store.commit_materializations(Vec::new()).await?, []);
    Ok(())
}

/// Concurrent commits leave the newest attempt of the newest run published.
pub async fn parallel_finishers_leave_the_newest(h: &dyn Harness) -> StateResult<()> {
    let peers = [h.store(), h.open_peer().await];
    let target = day_partition("flights", 7);
    let mut finishers = Vec::new();
    // The factors are coprime to the moduli, so runs and attempts come in a scattered order.
    for n in 0..24_u64 {
        let store = peers[n as usize % 2].clone();
        let item = materialization_of(&target, run_id(n * 7 % 8), n as u32 * 5 % 3);
        finishers.push(async move { store.commit_materializations(vec![item]).await });
    }
    for finished in run_at_once(finishers).await {
        finished?;
    }
    let newest = (0..24_u64)
        .map(|n| (run_id(n * 7 % 8), n as u32 * 5 % 3))
        .max()
        .map(|(run, attempt)| materialization_of(&target, run, attempt));
    let latest = peers[0]
        .latest_materialization(&target, ReadConsistency::Strong)
        .await?;
    assert_eq!(latest.as_ref().and_then(Latest::published), newest.as_ref());
    Ok(())
}

/// Reads more partitions than an adapter reads at once, with gaps and repeats.
pub async fn many_partitions_are_read_in_the_given_order(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    let batch = (0..450)
        .step_by(2)
        .map(|n| materialization_of(&day_partition("flights", n), run_id(1), 1));
    store.commit_materializations(batch.collect()).await?;
    // Every other partition is missing; one is read twice, and one belongs to another asset.
    let mut asked: Vec<_> = (0..450)
        .rev()
        .map(|n| day_partition("flights", n))
        .collect();
    asked.push(day_partition("flights", 4));
    asked.push(PartitionRef::unpartitioned(asset_key("airlines")));
    let latest = store
        .latest_materializations(&asked, ReadConsistency::Strong)
        .await?;
    assert_eq!(latest.len(), asked.len());
    for (target, latest) in asked.iter().zip(&latest) {
        let expected = (target.partition.is_some() && target.ordinal % 2 == 0)
            .then(|| materialization_of(target, run_id(1), 1));
        assert_eq!(
            latest.as_ref().and_then(Latest::published),
            expected.as_ref()
        );
    }
    Ok(())
}

/// Pages of any size hold every partition once.
pub async fn every_partition_of_an_asset_is_listed_once(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    // Partitions of several segments, a similarly named asset and a failure without data.
    let near = (0..7).map(|n| materialization_of(&day_partition("flights", n), run_id(1), 1));
    let far = (9000..9003).map(|n| materialization_of(&day_partition("flights", n), run_id(1), 1));
    store
        .commit_materializations(near.chain(far).collect())
        .await?;
    store
        .commit_materializations(vec![materialization_of(
            &day_partition("flights-2", 1),
            run_id(1),
            1,
        )])
        .await?;
    store
        .record_failures(vec![failed_attempt(
            &day_partition("flights", 8),
            run_id(1),
            1,
        )])
        .await?;
    for limit in [1, 4, 100] {
        let flights = asset_key("flights");
        let pages = async |request: &PageRequest| {
            store.list_latest_materializations(&flights, request).await
        };
        let mut listed = Vec::new();
        for (target, latest) in collect_pages(limit, pages).await? {
            assert_eq!(
                store
                    .latest_materialization(&target, ReadConsistency::Strong)
                    .await?,
                Some(latest)
            );
            listed.push(target.ordinal);
        }
        // The order is the store's own, so only the set is compared.
        listed.sort_unstable();
        assert_eq!(listed, [0, 1, 2, 3, 4, 5, 6, 8, 9000, 9001, 9002]);
    }
    Ok(())
}

/// The error for an oversized record says what to do instead.
pub async fn a_record_that_is_too_large_is_refused_before_anything_is_written(
    h: &dyn Harness,
) -> StateResult<()> {
    let store = h.store();
    let small = materialization_of(&day_partition("flights", 1), run_id(1), 1);
    let mut large = materialization_of(&day_partition("flights", 2), run_id(1), 1);
    let text = "x".repeat(MAX_RECORD_BYTES);
    large
        .metadata
        .insert("html".to_owned(), MetadataValue::Text(text));
    // The small record comes first and must not be written either.
    let error = store
        .commit_materializations(vec![small, large])
        .await
        .expect_err("the second record is too large");
    assert_eq!(error.kind(), StateErrorKind::TooLarge);
    assert!(error.to_string().contains("flights[day-2]"), "{error}");
    assert!(error.to_string().contains("256 KiB"), "{error}");
    assert_eq!(
        store
            .latest_materialization(&day_partition("flights", 1), ReadConsistency::Strong)
            .await?,
        None
    );
    Ok(())
}

/// An unpartitioned asset's record is no partition's record.
pub async fn unpartitioned_and_empty_keys_are_kept_apart(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    // Both have ordinal 0, so only the key tells them apart.
    let whole = PartitionRef::unpartitioned(asset_key("a"));
    let other = PartitionRef::new(asset_key("a"), "0", 0);
    store
        .commit_materializations(vec![materialization_of(&whole, run_id(1), 1)])
        .await?;
    assert_eq!(
        store
            .latest_materialization(&other, ReadConsistency::Strong)
            .await?,
        None
    );
    let listed = store
        .list_latest_materializations(&asset_key("a"), &PageRequest::first(10))
        .await?;
    assert_eq!(
        listed.items.into_iter().map(|(t, _)| t).collect::<Vec<_>>(),
        [whole]
    );
    Ok(())
}

/// Keys are data: special characters neither truncate nor mix them up.
pub async fn strange_keys_are_kept(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    // Separators of the adapters' own keys, SQL, patterns and characters beyond ASCII.
    let keys = [
        "a#b",
        "a/b",
        "a|b",
        "'; DROP TABLE runs; --",
        "a%b_c",
        "\u{e4}\u{1f327}",
        "a b",
    ];
    let refs: Vec<_> = keys
        .into_iter()
        .zip(0..)
        .map(|(key, n)| PartitionRef::new(asset_key("a/b-c_d"), PartitionKey::from(key), n))
        .collect();
    store
        .commit_materializations(
            refs.iter()
                .map(|target| materialization_of(target, run_id(1), 1))
                .collect(),
        )
        .await?;
    for target in &refs {
        let latest = store
            .latest_materialization(target, ReadConsistency::Strong)
            .await?;
        let expected = materialization_of(target, run_id(1), 1);
        assert_eq!(latest.as_ref().and_then(Latest::published), Some(&expected));
    }
    Ok(())
}

/// A peer sees a commit immediately.
pub async fn a_peer_sees_what_was_committed(h: &dyn Harness) -> StateResult<()> {
    let (store, peer) = (h.store(), h.open_peer().await);
    for n in 0..20 {
        let item = materialization_of(&day_partition("flights", n), run_id(1), 1);
        // Both directions, in turns.
        let (writer, reader) = if n % 2 == 0 {
            (&store, &peer)
        } else {
            (&peer, &store)
        };
        writer.commit_materializations(vec![item.clone()]).await?;
        let seen = reader
            .latest_materialization(&item.target, ReadConsistency::Strong)
            .await?;
        assert_eq!(seen.as_ref().and_then(Latest::published), Some(&item));
    }
    Ok(())
}

/// Wiped partitions are missing, and their event log stays.
pub async fn wiped_partitions_are_missing_again(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    let (a, b, c) = (
        day_partition("flights", 1),
        day_partition("flights", 2),
        day_partition("flights", 3),
    );
    store
        .commit_materializations(vec![
            materialization_of(&a, run_id(1), 1),
            materialization_of(&b, run_id(1), 1),
        ])
        .await?;
    store
        .record_failures(vec![failed_attempt(&c, run_id(1), 1)])
        .await?;
    // A materialized, a failed and an unknown partition are wiped.
    store
        .wipe_partitions(&[a.clone(), c.clone(), day_partition("flights", 4)])
        .await?;
    h.await_projections().await;
    assert_eq!(
        store
            .latest_materialization(&a, ReadConsistency::Strong)
            .await?,
        None
    );
    assert_eq!(
        store
            .latest_materialization(&c, ReadConsistency::Strong)
            .await?,
        None
    );
    let statuses = store.partition_statuses(&asset_key("flights")).await?;
    assert_eq!(statuses.materialized, [2].into_iter().collect());
    assert!(statuses.failed.is_empty());
    assert_eq!(
        store
            .partition_events(&a, &PageRequest::first(9))
            .await?
            .items
            .len(),
        1
    );
    assert_eq!(
        store
            .commit_materializations(vec![materialization_of(&a, run_id(1), 2)])
            .await?,
        [CommitOutcome::Committed]
    );
    Ok(())
}

/// Events are listed newest first, in any order of arrival.
pub async fn events_are_logged_newest_first_in_pages(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    let target = day_partition("flights", 1);
    let mut expected = Vec::new();
    // Runs arrive out of order, and each has a failed and a successful attempt.
    for n in [3, 1, 2] {
        let mut begun = attempt_start(&target, run_id(n), 1);
        let mut failed = failed_attempt(&target, run_id(n), 1);
        let mut made = materialization_of(&target, run_id(n), 2);
        let second = n.cast_signed() * 10;
        (begun.at, failed.at, made.finished_at) = (
            at_second(second),
            at_second(second + 1),
            at_second(second + 2),
        );
        failed.will_retry = true;
        store.record_attempts(vec![begun.clone()]).await?;
        store.record_failures(vec![failed.clone()]).await?;
        let done = store.commit_materializations(vec![made.clone()]).await?;
        expected.extend([Event::Started(begun), Event::Failed(failed)]);
        if done == [CommitOutcome::Committed] {
            expected.push(Event::Materialized(Box::new(made)));
        }
    }
    store
        .record_attempts(vec![attempt_start(
            &day_partition("flights", 2),
            run_id(9),
            1,
        )])
        .await?;
    // Two runs are superseded by the first: their starts and failures are logged, their commits are
    // not.
    expected.sort_by_key(|event| std::cmp::Reverse(event.key()));
    assert_eq!(expected.len(), 7);
    for limit in [1, 3, 50] {
        let pages = async |request: &PageRequest| store.partition_events(&target, request).await;
        let listed = collect_pages(limit, pages).await?;
        assert_eq!(listed, expected, "in pages of {limit}");
    }
    Ok(())
}
