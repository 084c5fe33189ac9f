//! Rules of [`RunStore`](crate::state::RunStore).

use std::collections::BTreeMap;

use super::{
    Harness,
    fixtures::{
        asset_key, at_second, collect_pages, day_partition, materialization_of, new_run, run_id,
    },
    run_at_once,
};
use crate::state::{
    Advance, CommitOutcome, CreatedRun, NewRun, OwnerId, PageRequest, PageToken, PlanSummary,
    RunChange, RunFilter, RunKey, RunStatus, StateErrorKind, StateResult, TickRequest, TriggerId,
    TriggerKind,
};

fn start_change(seconds: i64) -> RunChange {
    RunChange::new([RunStatus::Queued], RunStatus::Running, at_second(seconds))
}

/// A request with a known id or key returns the existing run, unchanged.
pub async fn a_run_is_created_once_for_an_id_and_once_for_a_key(
    h: &dyn Harness,
) -> StateResult<()> {
    let store = h.store();
    let first = store.create_run(new_run(1, Some("a"))).await?;
    let CreatedRun::New(run) = &first else {
        panic!("the first request creates the run");
    };
    assert_eq!(**run, new_run(1, Some("a")).into_run());
    // A known key, a known id, and a known id with another key.
    for again in [
        new_run(2, Some("a")),
        new_run(1, None),
        new_run(1, Some("b")),
    ] {
        let known = store.create_run(again).await?;
        assert_eq!(known, CreatedRun::Existing(run.clone()));
    }
    assert_eq!(store.find_run(run_id(1)).await?.as_ref(), Some(&**run));
    assert_eq!(store.find_run(run_id(2)).await?, None);
    // The first key leads to the run, and no other was added.
    let key = RunKey::from_request("a");
    assert_eq!(store.find_run_by_key(&key).await?.as_ref(), Some(&**run));
    assert_eq!(
        store.find_run_by_key(&RunKey::from_request("b")).await?,
        None
    );
    assert!(store.create_run(new_run(3, None)).await?.is_new());
    assert!(store.create_run(new_run(4, None)).await?.is_new());
    Ok(())
}

/// Concurrent requests with one key create one run, and each of them returns it.
pub async fn one_of_many_racing_requests_creates_the_run(h: &dyn Harness) -> StateResult<()> {
    let peers = [h.store(), h.open_peer().await];
    let requests = (1..=16).map(|n| {
        let store = peers[n as usize % 2].clone();
        async move { store.create_run(new_run(n, Some("same"))).await }
    });
    // Exactly one request creates the run, and all of them return its id.
    let mut created = Vec::new();
    for request in run_at_once(requests).await {
        created.push(request?);
    }
    assert_eq!(created.iter().filter(|created| created.is_new()).count(), 1);
    assert!(
        created
            .iter()
            .all(|other| other.run().id == created[0].run().id)
    );
    Ok(())
}

/// Pages of any size hold every run once, newest first, in any order of creation.
pub async fn runs_are_listed_newest_first_in_pages(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    for n in [3, 1, 7, 5, 2, 6, 4] {
        store.create_run(new_run(n, None)).await?;
    }
    let newest_first: Vec<_> = (1..=7).rev().map(run_id).collect();
    for limit in [1, 2, 3, 7, 100] {
        let pages =
            async |request: &PageRequest| store.list_runs(&RunFilter::default(), request).await;
        let ids: Vec<_> = collect_pages(limit, pages)
            .await?
            .into_iter()
            .map(|run| run.id)
            .collect();
        assert_eq!(ids, newest_first, "in pages of {limit}");
    }
    Ok(())
}

/// A clock that was ahead when a run was created does not make later runs the older ones: a new id
/// follows the greatest one on record, also of runs that a trigger requested and that are over.
pub async fn the_newest_run_has_the_greatest_id_whatever_clocks_said(
    h: &dyn Harness,
) -> StateResult<()> {
    let store = h.store();
    assert_eq!(store.newest_run().await?, None);
    // Days later, by a clock that was ahead; `created_at` is that clock's as well.
    let ahead = |n: u64| n + 40 * 86_400_000;
    store.create_run(new_run(ahead(1), None)).await?;
    for n in [3, 1, 2] {
        store.create_run(new_run(n, None)).await?;
        assert_eq!(store.newest_run().await?, Some(run_id(ahead(1))));
    }
    let trigger = TriggerId {
        kind: TriggerKind::Sensor,
        name: "files".to_owned(),
    };
    let advance = Advance {
        revision: 0,
        cursor: None,
        at: at_second(1),
        scheduled_for: None,
        request: TickRequest::Runs(vec![new_run(ahead(7), Some("t")), new_run(5, Some("u"))]),
        note: None,
    };
    store.advance_trigger(&trigger, advance).await?;
    let peer = h.open_peer().await;
    assert_eq!(peer.newest_run().await?, Some(run_id(ahead(7))));
    let over = RunChange::new([RunStatus::Queued], RunStatus::Canceled, at_second(2));
    store.change_run(run_id(ahead(7)), over).await?;

    // A run that is created now, with the earliest clock, publishes over what that run published.
    let target = day_partition("flights", 1);
    let before = materialization_of(&target, run_id(ahead(7)), 1);
    store.commit_materializations(vec![before]).await?;
    let next = run_id(1).made_newer_than(store.newest_run().await?);
    let request = NewRun {
        id: next,
        ..new_run(1, None)
    };
    assert!(store.create_run(request).await?.is_new());
    assert_eq!(store.newest_run().await?, Some(next));
    let made = materialization_of(&target, next, 1);
    assert_eq!(
        store.commit_materializations(vec![made]).await?,
        [CommitOutcome::Committed]
    );
    Ok(())
}

/// The parts of a filter combine.
pub async fn runs_are_filtered_by_status_tags_and_age(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    for n in 1..=6 {
        store.create_run(new_run(n, None)).await?;
    }
    for n in [2, 3] {
        store.change_run(run_id(n), start_change(10)).await?;
    }
    let team = |name: &str| BTreeMap::from([("team".to_owned(), name.to_owned())]);
    let running = RunFilter {
        statuses: vec![RunStatus::Running],
        ..RunFilter::default()
    };
    // The last number names the runs that pass, newest first.
    let cases = [
        (running.clone(), vec![3, 2]),
        (
            RunFilter {
                tags: team("t1"),
                ..RunFilter::default()
            },
            vec![5, 3, 1],
        ),
        (
            RunFilter {
                tags: team("t1"),
                ..running
            },
            vec![3],
        ),
        (
            RunFilter {
                since: Some(at_second(5)),
                ..RunFilter::default()
            },
            vec![6, 5],
        ),
        (
            RunFilter {
                statuses: vec![RunStatus::Running, RunStatus::Queued],
                ..RunFilter::default()
            },
            vec![6, 5, 4, 3, 2, 1],
        ),
        (
            RunFilter {
                statuses: vec![RunStatus::Failed],
                ..RunFilter::default()
            },
            vec![],
        ),
    ];
    for (filter, expected) in cases {
        let pages = async |request: &PageRequest| store.list_runs(&filter, request).await;
        let ids: Vec<_> = collect_pages(2, pages)
            .await?
            .into_iter()
            .map(|run| run.id)
            .collect();
        let expected: Vec<_> = expected.into_iter().map(run_id).collect();
        assert_eq!(ids, expected, "{filter:?}");
    }
    Ok(())
}

/// A change from another status is refused and returns the run unchanged.
pub async fn a_status_changes_only_from_an_expected_status(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    store.create_run(new_run(1, None)).await?;
    let changed = store.change_run(run_id(1), start_change(20)).await?;
    assert!(changed.is_changed());
    assert_eq!(changed.run().started_at, Some(at_second(20)));
    // The change expects a queued run, and the run is running by now.
    let again = store.change_run(run_id(1), start_change(21)).await?;
    assert!(!again.is_changed());
    assert_eq!(again.run().started_at, Some(at_second(20)));
    let end = RunChange::new([RunStatus::Running], RunStatus::Failed, at_second(30))
        .with_message("2 failed");
    let ended = store.change_run(run_id(1), end).await?;
    assert_eq!(ended.run().status, RunStatus::Failed);
    assert_eq!(ended.run().finished_at, Some(at_second(30)));
    assert_eq!(ended.run().message.as_deref(), Some("2 failed"));
    assert_eq!(store.find_run(run_id(1)).await?.as_ref(), Some(ended.run()));
    Ok(())
}

/// Of many concurrent, equal changes one is applied.
pub async fn one_of_many_racing_changes_is_made(h: &dyn Harness) -> StateResult<()> {
    let peers = [h.store(), h.open_peer().await];
    peers[0].create_run(new_run(1, None)).await?;
    let changes = (0..16).map(|n| {
        let store = peers[n % 2].clone();
        async move { store.change_run(run_id(1), start_change(1)).await }
    });
    let mut made = 0;
    for change in run_at_once(changes).await {
        made += u32::from(change?.is_changed());
    }
    assert_eq!(made, 1);
    Ok(())
}

/// Failed and canceled runs can be resumed; runs that succeeded cannot.
pub async fn a_finished_run_runs_again_only_when_it_did_not_succeed(
    h: &dyn Harness,
) -> StateResult<()> {
    let store = h.store();
    for (index, end) in [RunStatus::Succeeded, RunStatus::Failed, RunStatus::Canceled]
        .into_iter()
        .enumerate()
    {
        let n = index as u64 + 1;
        store.create_run(new_run(n, None)).await?;
        store.change_run(run_id(n), start_change(1)).await?;
        let change = RunChange::new([RunStatus::Running], end, at_second(2));
        assert!(store.change_run(run_id(n), change).await?.is_changed());
        // `ALL` as expected statuses leaves the decision to the rules of the status itself.
        let resume = RunChange::new(RunStatus::ALL, RunStatus::Running, at_second(3));
        let resumed = store.change_run(run_id(n), resume).await?;
        assert_eq!(resumed.is_changed(), end != RunStatus::Succeeded, "{end}");
        assert_eq!(
            resumed.run().finished_at.is_none(),
            end != RunStatus::Succeeded
        );
    }
    Ok(())
}

/// A run is taken over only from an owner whose last heartbeat is before the given moment.
pub async fn a_run_has_one_owner_until_it_is_stale(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    let (a, b) = (OwnerId("a".to_owned()), OwnerId("b".to_owned()));
    store.create_run(new_run(1, None)).await?;
    store.change_run(run_id(1), start_change(1)).await?;
    assert!(
        store
            .claim_run(run_id(1), a.clone(), at_second(10), at_second(0))
            .await?
            .is_changed()
    );
    assert!(
        store
            .claim_run(run_id(1), a.clone(), at_second(11), at_second(0))
            .await?
            .is_changed()
    );
    // Another process is refused while the owner's heartbeat is recent.
    let refused = store
        .claim_run(run_id(1), b.clone(), at_second(12), at_second(11))
        .await?;
    assert!(!refused.is_changed());
    assert_eq!(
        refused.run().owner.as_ref().map(|owner| &owner.id),
        Some(&a)
    );
    assert!(!refused.run().is_interrupted(at_second(11)));
    assert!(refused.run().is_interrupted(at_second(12)));
    // Once it is stale, the run changes hands.
    let taken = store
        .claim_run(run_id(1), b.clone(), at_second(40), at_second(12))
        .await?;
    assert!(taken.is_changed());
    assert_eq!(taken.run().owner.as_ref().map(|owner| &owner.id), Some(&b));
    let end = RunChange::new([RunStatus::Running], RunStatus::Failed, at_second(50));
    assert_eq!(store.change_run(run_id(1), end).await?.run().owner, None);
    assert!(
        !store
            .claim_run(run_id(1), a, at_second(60), at_second(60))
            .await?
            .is_changed()
    );
    Ok(())
}

/// A former owner's heartbeat is refused, and the owner's heartbeat reports a cancellation.
pub async fn a_former_owner_is_refused(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    let (a, b) = (OwnerId("a".to_owned()), OwnerId("b".to_owned()));
    store.create_run(new_run(1, None)).await?;
    store.change_run(run_id(1), start_change(1)).await?;
    assert!(
        !store
            .record_heartbeat(run_id(1), &a, at_second(1))
            .await?
            .is_changed()
    );
    store
        .claim_run(run_id(1), a.clone(), at_second(1), at_second(0))
        .await?;
    let beat = store.record_heartbeat(run_id(1), &a, at_second(5)).await?;
    assert_eq!(
        beat.run().owner.as_ref().map(|owner| owner.heartbeat_at),
        Some(at_second(5))
    );
    store
        .claim_run(run_id(1), b.clone(), at_second(9), at_second(6))
        .await?;
    assert!(
        !store
            .record_heartbeat(run_id(1), &a, at_second(10))
            .await?
            .is_changed()
    );
    // The new owner learns of a cancellation from its next heartbeat.
    let cancel = RunChange::new([RunStatus::Running], RunStatus::Canceling, at_second(11));
    store.change_run(run_id(1), cancel).await?;
    let beat = store.record_heartbeat(run_id(1), &b, at_second(12)).await?;
    assert!(beat.is_changed());
    assert_eq!(beat.run().status, RunStatus::Canceling);
    Ok(())
}

/// The plan's summary may be recorded after the run.
pub async fn a_plan_is_kept_with_its_run(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    store.create_run(new_run(1, None)).await?;
    let plan = PlanSummary {
        items: 62,
        waves: 2,
        assets: [(asset_key("flights"), 31), (asset_key("daily/events"), 31)].into(),
        pointer: Some("runs/1/plan.json".to_owned()),
    };
    store.set_run_plan(run_id(1), plan.clone()).await?;
    store.change_run(run_id(1), start_change(1)).await?;
    let run = store.find_run(run_id(1)).await?;
    assert_eq!(run.and_then(|run| run.plan), Some(plan));
    Ok(())
}

/// Errors about an unknown run name it.
pub async fn unknown_runs_are_named(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    let id = run_id(9);
    let owner = OwnerId("a".to_owned());
    let errors = [
        store.change_run(id, start_change(1)).await.err(),
        store.set_run_plan(id, PlanSummary::default()).await.err(),
        store
            .claim_run(id, owner.clone(), at_second(1), at_second(0))
            .await
            .err(),
        store.record_heartbeat(id, &owner, at_second(1)).await.err(),
    ];
    for result in errors {
        let error = result.expect("the run is unknown");
        assert_eq!(error.kind(), StateErrorKind::NotFound);
        assert!(error.to_string().contains(&id.to_string()), "{error}");
    }
    Ok(())
}

/// A page token that no page returned is an error, not an empty page.
pub async fn a_token_of_another_list_is_refused(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    let request = PageRequest::first(1).next_page(PageToken("{nonsense".to_owned()));
    let error = store
        .list_runs(&RunFilter::default(), &request)
        .await
        .expect_err("the token is nonsense");
    assert_eq!(error.kind(), StateErrorKind::Conflict);
    Ok(())
}
