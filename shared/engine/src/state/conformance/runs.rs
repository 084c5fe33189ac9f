//! Rules of [`RunStore`](crate::state::RunStore).

use std::collections::BTreeMap;

use super::{
    Harness,
    fixtures::{asset, at, new_run, run_id},
};
use crate::state::{
    CreatedRun, OwnerId, PageRequest, PageToken, PlanSummary, RunChange, RunFilter, RunKey,
    RunStatus, StateErrorKind, StateResult,
};

fn start(seconds: i64) -> RunChange {
    RunChange::new([RunStatus::Queued], RunStatus::Running, at(seconds))
}

/// The same id or the same key answers the run that is there, unchanged.
pub async fn a_run_is_created_once_for_an_id_and_once_for_a_key(
    h: &dyn Harness,
) -> StateResult<()> {
    let store = h.store();
    let first = store.create_run(new_run(1, Some("a"))).await?;
    let CreatedRun::New(run) = &first else {
        panic!("the first request creates the run");
    };
    assert_eq!(**run, new_run(1, Some("a")).into_run());
    for again in [
        new_run(2, Some("a")),
        new_run(1, None),
        new_run(1, Some("b")),
    ] {
        let known = store.create_run(again).await?;
        assert_eq!(known, CreatedRun::Existing(run.clone()));
    }
    assert_eq!(store.run(run_id(1)).await?.as_ref(), Some(&**run));
    assert_eq!(store.run(run_id(2)).await?, None);
    let key = RunKey::requested("a");
    assert_eq!(store.run_of_key(&key).await?.as_ref(), Some(&**run));
    assert_eq!(store.run_of_key(&RunKey::requested("b")).await?, None);
    assert!(store.create_run(new_run(3, None)).await?.is_new());
    assert!(store.create_run(new_run(4, None)).await?.is_new());
    Ok(())
}

/// Many processes ask for one key at once: one run, and everybody learns which.
pub async fn one_of_many_racing_requests_creates_the_run(h: &dyn Harness) -> StateResult<()> {
    let peers = [h.store(), h.peer().await];
    let requests: Vec<_> = (1..=16)
        .map(|n| {
            let store = peers[n as usize % 2].clone();
            tokio::spawn(async move { store.create_run(new_run(n, Some("same"))).await })
        })
        .collect();
    let mut created = Vec::new();
    for request in requests {
        created.push(request.await.expect("the request does not panic")?);
    }
    assert_eq!(created.iter().filter(|created| created.is_new()).count(), 1);
    assert!(
        created
            .iter()
            .all(|other| other.run().id == created[0].run().id)
    );
    Ok(())
}

/// Pages of any size hold every run once, newest first, whatever the order of creation.
pub async fn runs_are_listed_newest_first_in_pages(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    for n in [3, 1, 7, 5, 2, 6, 4] {
        store.create_run(new_run(n, None)).await?;
    }
    let newest_first: Vec<_> = (1..=7).rev().map(run_id).collect();
    for limit in [1, 2, 3, 7, 100] {
        let mut request = PageRequest::first(limit);
        let mut ids = Vec::new();
        loop {
            let page = store.runs(&RunFilter::default(), &request).await?;
            assert!(page.items.len() <= limit);
            ids.extend(page.items.iter().map(|run| run.id));
            let Some(next) = page.next else { break };
            request = request.after(next);
        }
        assert_eq!(ids, newest_first, "in pages of {limit}");
    }
    Ok(())
}

/// Filters narrow, together.
pub async fn runs_are_filtered_by_status_tags_and_age(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    for n in 1..=6 {
        store.create_run(new_run(n, None)).await?;
    }
    for n in [2, 3] {
        store.change_run(run_id(n), start(10)).await?;
    }
    let team = |name: &str| BTreeMap::from([("team".to_owned(), name.to_owned())]);
    let running = RunFilter {
        statuses: vec![RunStatus::Running],
        ..RunFilter::default()
    };
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
                since: Some(at(5)),
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
        let mut request = PageRequest::first(2);
        let mut ids = Vec::new();
        loop {
            let page = store.runs(&filter, &request).await?;
            ids.extend(page.items.iter().map(|run| run.id));
            let Some(next) = page.next else { break };
            request = request.after(next);
        }
        let expected: Vec<_> = expected.into_iter().map(run_id).collect();
        assert_eq!(ids, expected, "{filter:?}");
    }
    Ok(())
}

/// A change from another status is refused and answers the run as it is.
pub async fn a_status_changes_only_from_where_the_caller_believes_it(
    h: &dyn Harness,
) -> StateResult<()> {
    let store = h.store();
    store.create_run(new_run(1, None)).await?;
    let changed = store.change_run(run_id(1), start(20)).await?;
    assert!(changed.is_changed());
    assert_eq!(changed.run().started_at, Some(at(20)));
    let again = store.change_run(run_id(1), start(21)).await?;
    assert!(!again.is_changed());
    assert_eq!(again.run().started_at, Some(at(20)));
    let end = RunChange::new([RunStatus::Running], RunStatus::Failed, at(30)).because("2 failed");
    let ended = store.change_run(run_id(1), end).await?;
    assert_eq!(ended.run().status, RunStatus::Failed);
    assert_eq!(ended.run().finished_at, Some(at(30)));
    assert_eq!(ended.run().message.as_deref(), Some("2 failed"));
    assert_eq!(store.run(run_id(1)).await?.as_ref(), Some(ended.run()));
    Ok(())
}

/// Of many that make the same change at once, one makes it.
pub async fn one_of_many_racing_changes_is_made(h: &dyn Harness) -> StateResult<()> {
    let peers = [h.store(), h.peer().await];
    peers[0].create_run(new_run(1, None)).await?;
    let changes: Vec<_> = (0..16)
        .map(|n| {
            let store = peers[n % 2].clone();
            tokio::spawn(async move { store.change_run(run_id(1), start(1)).await })
        })
        .collect();
    let mut made = 0;
    for change in changes {
        made += u32::from(
            change
                .await
                .expect("the change does not panic")?
                .is_changed(),
        );
    }
    assert_eq!(made, 1);
    Ok(())
}

/// Failed and canceled runs may be resumed, runs that succeeded may not.
pub async fn a_finished_run_runs_again_only_when_it_did_not_succeed(
    h: &dyn Harness,
) -> StateResult<()> {
    let store = h.store();
    for (n, end) in [RunStatus::Succeeded, RunStatus::Failed, RunStatus::Canceled]
        .into_iter()
        .enumerate()
    {
        let n = n as u64 + 1;
        store.create_run(new_run(n, None)).await?;
        store.change_run(run_id(n), start(1)).await?;
        let change = RunChange::new([RunStatus::Running], end, at(2));
        assert!(store.change_run(run_id(n), change).await?.is_changed());
        let resume = RunChange::new(RunStatus::ALL, RunStatus::Running, at(3));
        let resumed = store.change_run(run_id(n), resume).await?;
        assert_eq!(resumed.is_changed(), end != RunStatus::Succeeded, "{end}");
        assert_eq!(
            resumed.run().finished_at.is_none(),
            end != RunStatus::Succeeded
        );
    }
    Ok(())
}

/// A run is taken over only from an owner last heard of before the given moment.
pub async fn a_run_has_one_owner_until_it_is_stale(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    let (a, b) = (OwnerId("a".to_owned()), OwnerId("b".to_owned()));
    store.create_run(new_run(1, None)).await?;
    store.change_run(run_id(1), start(1)).await?;
    assert!(
        store
            .claim_run(run_id(1), a.clone(), at(10), at(0))
            .await?
            .is_changed()
    );
    assert!(
        store
            .claim_run(run_id(1), a.clone(), at(11), at(0))
            .await?
            .is_changed()
    );
    let refused = store
        .claim_run(run_id(1), b.clone(), at(12), at(11))
        .await?;
    assert!(!refused.is_changed());
    assert_eq!(
        refused.run().owner.as_ref().map(|owner| &owner.id),
        Some(&a)
    );
    assert!(!refused.run().is_interrupted(at(11)));
    assert!(refused.run().is_interrupted(at(12)));
    let taken = store
        .claim_run(run_id(1), b.clone(), at(40), at(12))
        .await?;
    assert!(taken.is_changed());
    assert_eq!(taken.run().owner.as_ref().map(|owner| &owner.id), Some(&b));
    let end = RunChange::new([RunStatus::Running], RunStatus::Failed, at(50));
    assert_eq!(store.change_run(run_id(1), end).await?.run().owner, None);
    assert!(
        !store
            .claim_run(run_id(1), a, at(60), at(60))
            .await?
            .is_changed()
    );
    Ok(())
}

/// The heartbeat of a former owner is refused, and that of the owner tells it of a cancellation.
pub async fn an_owner_that_lost_the_run_learns_it(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    let (a, b) = (OwnerId("a".to_owned()), OwnerId("b".to_owned()));
    store.create_run(new_run(1, None)).await?;
    store.change_run(run_id(1), start(1)).await?;
    assert!(!store.heartbeat(run_id(1), &a, at(1)).await?.is_changed());
    store.claim_run(run_id(1), a.clone(), at(1), at(0)).await?;
    let beat = store.heartbeat(run_id(1), &a, at(5)).await?;
    assert_eq!(
        beat.run().owner.as_ref().map(|owner| owner.heartbeat_at),
        Some(at(5))
    );
    store.claim_run(run_id(1), b.clone(), at(9), at(6)).await?;
    assert!(!store.heartbeat(run_id(1), &a, at(10)).await?.is_changed());
    let cancel = RunChange::new([RunStatus::Running], RunStatus::Canceling, at(11));
    store.change_run(run_id(1), cancel).await?;
    let beat = store.heartbeat(run_id(1), &b, at(12)).await?;
    assert!(beat.is_changed());
    assert_eq!(beat.run().status, RunStatus::Canceling);
    Ok(())
}

/// The plan's summary may come after the run.
pub async fn a_plan_is_kept_with_its_run(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    store.create_run(new_run(1, None)).await?;
    let plan = PlanSummary {
        items: 62,
        waves: 2,
        assets: [(asset("flights"), 31), (asset("daily/events"), 31)].into(),
        pointer: Some("runs/1/plan.json".to_owned()),
    };
    store.set_plan(run_id(1), plan.clone()).await?;
    store.change_run(run_id(1), start(1)).await?;
    let run = store.run(run_id(1)).await?;
    assert_eq!(run.and_then(|run| run.plan), Some(plan));
    Ok(())
}

/// What cannot be done to a run that is not there says so.
pub async fn unknown_runs_are_named(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    let id = run_id(9);
    let owner = OwnerId("a".to_owned());
    let errors = [
        store.change_run(id, start(1)).await.err(),
        store.set_plan(id, PlanSummary::default()).await.err(),
        store.claim_run(id, owner.clone(), at(1), at(0)).await.err(),
        store.heartbeat(id, &owner, at(1)).await.err(),
    ];
    for error in errors {
        let error = error.expect("there is no such run");
        assert_eq!(error.kind(), StateErrorKind::NotFound);
        assert!(error.to_string().contains(&id.to_string()), "{error}");
    }
    Ok(())
}

/// A page token that no page gave is a usage error, not an empty page.
pub async fn a_token_of_another_list_is_refused(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    let request = PageRequest::first(1).after(PageToken("{nonsense".to_owned()));
    let error = store.runs(&RunFilter::default(), &request).await;
    let error = error.expect_err("the token is nonsense");
    assert_eq!(error.kind(), StateErrorKind::Conflict);
    Ok(())
}
