//! Rules of the commit protocol.

use precip_core::{metadata::MetadataValue, partitions::PartitionKey};

use super::{
    Harness,
    fixtures::{asset, at, begun, checked, day, failed, made, run_id},
};
use crate::state::{
    CheckOutcome, Event, Finished, Latest, MAX_RECORD_BYTES, PageRequest, PartitionRef,
    ReadConsistency, StateErrorKind, StateResult,
};

/// Every field comes back.
pub async fn a_materialization_comes_back_as_it_was_put(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    let target = day("flights", 7);
    assert_eq!(store.latest(&target, ReadConsistency::Strong).await?, None);
    let mut item = made(&target, run_id(1), 1);
    item.checks = vec![checked(
        "fresh",
        &target,
        run_id(1),
        1,
        CheckOutcome::Passed,
    )];
    assert_eq!(
        store.finish(vec![item.clone()]).await?,
        [Finished::Committed]
    );
    let latest = store
        .latest(&target, ReadConsistency::Strong)
        .await?
        .expect("it is published");
    assert_eq!(latest.published(), Some(&item));
    assert_eq!(latest.failure, None);
    assert!(latest.is_done_by(run_id(1)));
    assert!(!latest.is_done_by(run_id(2)));
    Ok(())
}

/// The last call of an attempt counts, and it is no update for what is downstream.
pub async fn the_same_attempt_again_is_committed_and_counts_once(
    h: &dyn Harness,
) -> StateResult<()> {
    let store = h.store();
    let target = day("flights", 7);
    let first = made(&target, run_id(1), 1);
    store.finish(vec![first.clone()]).await?;
    let before = sequence(store.latest(&target, ReadConsistency::Strong).await?);
    let mut second = first;
    second.data_version = "other".to_owned();
    assert_eq!(
        store.finish(vec![second.clone()]).await?,
        [Finished::Committed]
    );
    let latest = store.latest(&target, ReadConsistency::Strong).await?;
    assert_eq!(latest.as_ref().and_then(Latest::published), Some(&second));
    assert_eq!(sequence(latest), before);
    let log = store.events(&target, &PageRequest::first(10)).await?;
    assert_eq!(log.items, [Event::Materialized(Box::new(second))]);
    Ok(())
}

fn sequence(latest: Option<Latest>) -> Option<crate::state::Sequence> {
    latest?.materialization.map(|(_, sequence)| sequence)
}

/// Its output is never pointed at.
pub async fn a_late_zombie_of_an_older_run_is_refused(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    let target = day("flights", 7);
    let newer = made(&target, run_id(2), 1);
    store.finish(vec![newer.clone()]).await?;
    for attempt in [1, 9] {
        let answer = store
            .finish(vec![made(&target, run_id(1), attempt)])
            .await?;
        assert_eq!(answer, [Finished::Superseded { by: run_id(2) }]);
    }
    let latest = store.latest(&target, ReadConsistency::Strong).await?;
    assert_eq!(latest.as_ref().and_then(Latest::published), Some(&newer));
    let log = store.events(&target, &PageRequest::first(10)).await?;
    assert_eq!(log.items.len(), 1);
    Ok(())
}

/// An attempt that was thought dead comes after its retry.
pub async fn a_late_attempt_of_the_same_run_is_refused(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    let target = day("flights", 7);
    let second = made(&target, run_id(1), 2);
    store.finish(vec![second.clone()]).await?;
    let late = store.finish(vec![made(&target, run_id(1), 1)]).await?;
    assert_eq!(late, [Finished::AlreadyDone { attempt: 2 }]);
    let third = made(&target, run_id(1), 3);
    assert_eq!(
        store.finish(vec![third.clone()]).await?,
        [Finished::Committed]
    );
    let latest = store.latest(&target, ReadConsistency::Strong).await?;
    assert_eq!(latest.as_ref().and_then(Latest::published), Some(&third));
    Ok(())
}

/// Whatever the attempt.
pub async fn a_newer_run_replaces_an_older_one(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    let target = PartitionRef::unpartitioned(asset("airlines"));
    store.finish(vec![made(&target, run_id(1), 5)]).await?;
    let before = sequence(store.latest(&target, ReadConsistency::Strong).await?);
    let newer = made(&target, run_id(2), 1);
    assert_eq!(
        store.finish(vec![newer.clone()]).await?,
        [Finished::Committed]
    );
    let latest = store.latest(&target, ReadConsistency::Strong).await?;
    assert_eq!(latest.as_ref().and_then(Latest::published), Some(&newer));
    assert!(sequence(latest) > before);
    Ok(())
}

/// One refused item does not hold the others up.
pub async fn a_batch_answers_each_item(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    store.finish(vec![made(&day("a", 1), run_id(5), 1)]).await?;
    let batch = vec![
        made(&day("a", 0), run_id(4), 1),
        made(&day("a", 1), run_id(4), 1),
        made(&day("b", 1), run_id(4), 1),
    ];
    assert_eq!(
        store.finish(batch).await?,
        [
            Finished::Committed,
            Finished::Superseded { by: run_id(5) },
            Finished::Committed
        ]
    );
    assert_eq!(store.finish(Vec::new()).await?, []);
    Ok(())
}

/// Whoever comes when, the newest run and its newest attempt are published.
pub async fn parallel_finishers_leave_the_newest(h: &dyn Harness) -> StateResult<()> {
    let peers = [h.store(), h.peer().await];
    let target = day("flights", 7);
    let mut finishers = Vec::new();
    for n in 0..24_u64 {
        let store = peers[n as usize % 2].clone();
        let item = made(&target, run_id(n * 7 % 8), n as u32 * 5 % 3);
        finishers.push(tokio::spawn(async move { store.finish(vec![item]).await }));
    }
    for finisher in finishers {
        finisher.await.expect("the finisher does not panic")?;
    }
    let newest = (0..24_u64)
        .map(|n| (run_id(n * 7 % 8), n as u32 * 5 % 3))
        .max()
        .map(|(run, attempt)| made(&target, run, attempt));
    let latest = peers[0].latest(&target, ReadConsistency::Strong).await?;
    assert_eq!(latest.as_ref().and_then(Latest::published), newest.as_ref());
    Ok(())
}

/// More than one chunk of whatever the adapter reads at once, with gaps and repeats.
pub async fn many_partitions_are_read_in_the_order_asked(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    let batch = (0..450)
        .step_by(2)
        .map(|n| made(&day("flights", n), run_id(1), 1));
    store.finish(batch.collect()).await?;
    let mut asked: Vec<_> = (0..450).rev().map(|n| day("flights", n)).collect();
    asked.push(day("flights", 4));
    asked.push(PartitionRef::unpartitioned(asset("airlines")));
    let latest = store.latest_many(&asked, ReadConsistency::Strong).await?;
    assert_eq!(latest.len(), asked.len());
    for (target, latest) in asked.iter().zip(&latest) {
        let expected = (target.partition.is_some() && target.ordinal % 2 == 0)
            .then(|| made(target, run_id(1), 1));
        assert_eq!(
            latest.as_ref().and_then(Latest::published),
            expected.as_ref()
        );
    }
    Ok(())
}

/// In pages of any size.
pub async fn every_partition_of_an_asset_is_listed_once(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    let near = (0..7).map(|n| made(&day("flights", n), run_id(1), 1));
    let far = (9000..9003).map(|n| made(&day("flights", n), run_id(1), 1));
    store.finish(near.chain(far).collect()).await?;
    store
        .finish(vec![made(&day("flights-2", 1), run_id(1), 1)])
        .await?;
    store
        .fail(vec![failed(&day("flights", 8), run_id(1), 1)])
        .await?;
    for limit in [1, 4, 100] {
        let mut request = PageRequest::first(limit);
        let mut listed = Vec::new();
        loop {
            let page = store.latest_all(&asset("flights"), &request).await?;
            for (target, latest) in page.items {
                assert_eq!(
                    store.latest(&target, ReadConsistency::Strong).await?,
                    Some(latest)
                );
                listed.push(target.ordinal);
            }
            let Some(next) = page.next else { break };
            request = request.after(next);
        }
        listed.sort_unstable();
        assert_eq!(listed, [0, 1, 2, 3, 4, 5, 6, 8, 9000, 9001, 9002]);
    }
    Ok(())
}

/// The message says what to do instead.
pub async fn a_record_that_is_too_large_is_refused_before_anything_is_written(
    h: &dyn Harness,
) -> StateResult<()> {
    let store = h.store();
    let small = made(&day("flights", 1), run_id(1), 1);
    let mut large = made(&day("flights", 2), run_id(1), 1);
    let text = "x".repeat(MAX_RECORD_BYTES);
    large
        .metadata
        .insert("html".to_owned(), MetadataValue::Text(text));
    let error = store.finish(vec![small, large]).await;
    let error = error.expect_err("the second record is too large");
    assert_eq!(error.kind(), StateErrorKind::TooLarge);
    assert!(error.to_string().contains("flights[day-2]"), "{error}");
    assert!(error.to_string().contains("256 KiB"), "{error}");
    assert_eq!(
        store
            .latest(&day("flights", 1), ReadConsistency::Strong)
            .await?,
        None
    );
    Ok(())
}

/// No partition, and a partition whose key is empty, are different things.
pub async fn unpartitioned_and_empty_keys_are_kept_apart(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    let whole = PartitionRef::unpartitioned(asset("a"));
    let other = PartitionRef::new(asset("a"), "0", 0);
    store.finish(vec![made(&whole, run_id(1), 1)]).await?;
    assert_eq!(store.latest(&other, ReadConsistency::Strong).await?, None);
    let listed = store
        .latest_all(&asset("a"), &PageRequest::first(10))
        .await?;
    assert_eq!(
        listed.items.into_iter().map(|(t, _)| t).collect::<Vec<_>>(),
        [whole]
    );
    Ok(())
}

/// Keys are data: whatever is in them, they are neither cut nor mixed up.
pub async fn strange_keys_are_kept(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
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
        .map(|(key, n)| PartitionRef::new(asset("a/b-c_d"), PartitionKey::from(key), n))
        .collect();
    store
        .finish(
            refs.iter()
                .map(|target| made(target, run_id(1), 1))
                .collect(),
        )
        .await?;
    for target in &refs {
        let latest = store.latest(target, ReadConsistency::Strong).await?;
        let expected = made(target, run_id(1), 1);
        assert_eq!(latest.as_ref().and_then(Latest::published), Some(&expected));
    }
    Ok(())
}

/// At once.
pub async fn a_peer_sees_what_was_committed(h: &dyn Harness) -> StateResult<()> {
    let (store, peer) = (h.store(), h.peer().await);
    for n in 0..20 {
        let item = made(&day("flights", n), run_id(1), 1);
        let (writer, reader) = if n % 2 == 0 {
            (&store, &peer)
        } else {
            (&peer, &store)
        };
        writer.finish(vec![item.clone()]).await?;
        let seen = reader.latest(&item.target, ReadConsistency::Strong).await?;
        assert_eq!(seen.as_ref().and_then(Latest::published), Some(&item));
    }
    Ok(())
}

/// The log stays.
pub async fn wiped_partitions_are_missing_again(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    let (a, b, c) = (day("flights", 1), day("flights", 2), day("flights", 3));
    store
        .finish(vec![made(&a, run_id(1), 1), made(&b, run_id(1), 1)])
        .await?;
    store.fail(vec![failed(&c, run_id(1), 1)]).await?;
    store
        .wipe(&[a.clone(), c.clone(), day("flights", 4)])
        .await?;
    h.settle().await;
    assert_eq!(store.latest(&a, ReadConsistency::Strong).await?, None);
    assert_eq!(store.latest(&c, ReadConsistency::Strong).await?, None);
    let statuses = store.statuses(&asset("flights")).await?;
    assert_eq!(statuses.materialized, [2].into_iter().collect());
    assert!(statuses.failed.is_empty());
    assert_eq!(
        store.events(&a, &PageRequest::first(9)).await?.items.len(),
        1
    );
    assert_eq!(
        store.finish(vec![made(&a, run_id(1), 2)]).await?,
        [Finished::Committed]
    );
    Ok(())
}

/// Whatever the order of arrival.
pub async fn events_are_logged_newest_first_in_pages(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    let target = day("flights", 1);
    let mut expected = Vec::new();
    for n in [3, 1, 2] {
        let mut begun = begun(&target, run_id(n), 1);
        let mut failed = failed(&target, run_id(n), 1);
        let mut made = made(&target, run_id(n), 2);
        let second = n.cast_signed() * 10;
        (begun.at, failed.at, made.finished_at) = (at(second), at(second + 1), at(second + 2));
        failed.will_retry = true;
        store.start(vec![begun.clone()]).await?;
        store.fail(vec![failed.clone()]).await?;
        let done = store.finish(vec![made.clone()]).await?;
        expected.extend([Event::Started(begun), Event::Failed(failed)]);
        if done == [Finished::Committed] {
            expected.push(Event::Materialized(Box::new(made)));
        }
    }
    store
        .start(vec![begun(&day("flights", 2), run_id(9), 1)])
        .await?;
    expected.sort_by_key(|event| std::cmp::Reverse(event.key()));
    assert_eq!(expected.len(), 7);
    for limit in [1, 3, 50] {
        let mut request = PageRequest::first(limit);
        let mut listed = Vec::new();
        loop {
            let page = store.events(&target, &request).await?;
            listed.extend(page.items);
            let Some(next) = page.next else { break };
            request = request.after(next);
        }
        assert_eq!(listed, expected, "in pages of {limit}");
    }
    Ok(())
}
