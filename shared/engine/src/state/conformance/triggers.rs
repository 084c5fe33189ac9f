//! Rules of [`TriggerStore`](crate::state::TriggerStore).

use super::{
    Harness,
    fixtures::{at, new_run, run_id},
};
use crate::state::{
    Advance, Advanced, MAX_RUNS_PER_TICK, NewRun, PageRequest, RunKey, StateErrorKind, StateResult,
    TickOutcome, TickRequest, TriggerId, TriggerKind, TriggerState,
};

fn sensor() -> TriggerId {
    TriggerId::new(TriggerKind::Sensor, "landing")
}

fn tick(revision: u64, runs: Vec<NewRun>) -> Advance {
    Advance {
        revision,
        cursor: Some(format!("file-{revision}")),
        at: at(revision.cast_signed()),
        scheduled_for: None,
        request: TickRequest::Runs(runs),
        note: None,
    }
}

/// Revision 0, no cursor.
pub async fn a_trigger_begins_with_nothing(h: &dyn Harness) -> StateResult<()> {
    assert_eq!(h.store().trigger(&sensor()).await?, TriggerState::default());
    Ok(())
}

/// In one step.
pub async fn a_tick_moves_the_cursor_and_creates_its_runs(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    let advanced = store
        .advance(
            &sensor(),
            tick(0, vec![new_run(1, Some("a")), new_run(2, None)]),
        )
        .await?;
    let Advanced::Done { runs } = advanced else {
        panic!("nobody else advanced the sensor");
    };
    assert!(runs.iter().all(|created| created.is_new()));
    assert!(store.run(run_id(2)).await?.is_some());
    let state = store.trigger(&sensor()).await?;
    assert_eq!(
        (state.revision, state.cursor.as_deref()),
        (1, Some("file-0"))
    );
    let last = state.last_tick.expect("it ticked");
    assert_eq!(
        last.outcome,
        TickOutcome::Requested(vec![run_id(1), run_id(2)])
    );
    let mut failing = tick(1, Vec::new());
    failing.request = TickRequest::Fail {
        message: "403".to_owned(),
    };
    failing.scheduled_for = Some(at(77));
    failing.note = Some("the bucket is closed".to_owned());
    store.advance(&sensor(), failing).await?;
    let last = store
        .trigger(&sensor())
        .await?
        .last_tick
        .expect("it ticked");
    assert_eq!(
        last.outcome,
        TickOutcome::Failed {
            message: "403".to_owned()
        }
    );
    assert_eq!(last.scheduled_for, Some(at(77)));
    assert_eq!(last.note.as_deref(), Some("the bucket is closed"));
    Ok(())
}

/// Neither cursor nor runs.
pub async fn a_tick_from_a_stale_revision_changes_nothing(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    store.advance(&sensor(), tick(0, Vec::new())).await?;
    let known = store.trigger(&sensor()).await?;
    for revision in [0, 2] {
        let stale = store
            .advance(&sensor(), tick(revision, vec![new_run(1, None)]))
            .await?;
        assert_eq!(stale, Advanced::Refused(known.clone()));
    }
    assert_eq!(store.trigger(&sensor()).await?, known);
    assert_eq!(store.run(run_id(1)).await?, None);
    Ok(())
}

/// Two sweeps of one sensor at once: one moves the cursor.
pub async fn one_of_many_racing_ticks_is_recorded(h: &dyn Harness) -> StateResult<()> {
    let peers = [h.store(), h.peer().await];
    let ticks: Vec<_> = (0..12)
        .map(|n| {
            let store = peers[n % 2].clone();
            let advance = tick(0, vec![new_run(n as u64, None)]);
            tokio::spawn(async move { store.advance(&sensor(), advance).await })
        })
        .collect();
    let mut done = 0;
    for tick in ticks {
        let answer = tick.await.expect("the tick does not panic")?;
        done += u32::from(matches!(answer, Advanced::Done { .. }));
    }
    assert_eq!(done, 1);
    let runs = peers[0]
        .runs(&Default::default(), &PageRequest::first(50))
        .await?;
    assert_eq!(runs.items.len(), 1);
    Ok(())
}

/// An event that comes twice is one run.
pub async fn a_known_run_key_answers_the_known_run(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    let mut first = new_run(1, None);
    first.key = Some(RunKey::triggered(&sensor(), "file-1"));
    store
        .advance(&sensor(), tick(0, vec![first.clone()]))
        .await?;
    let mut again = new_run(2, None);
    again.key.clone_from(&first.key);
    let Advanced::Done { runs } = store.advance(&sensor(), tick(1, vec![again])).await? else {
        panic!("nobody else advanced the sensor");
    };
    assert!(!runs[0].is_new());
    assert_eq!(runs[0].run().id, run_id(1));
    let last = store
        .trigger(&sensor())
        .await?
        .last_tick
        .expect("it ticked");
    assert_eq!(last.outcome, TickOutcome::Requested(vec![run_id(1)]));
    // The same key of another trigger, and of a person, is another request.
    let other = TriggerId::new(TriggerKind::Schedule, "landing");
    let mut keyed = new_run(3, Some("file-1"));
    assert!(store.create_run(keyed.clone()).await?.is_new());
    (keyed.id, keyed.key) = (run_id(4), Some(RunKey::triggered(&other, "file-1")));
    assert!(store.create_run(keyed).await?.is_new());
    Ok(())
}

/// Every tick once.
pub async fn ticks_are_listed_newest_first_in_pages(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    for revision in 0..7 {
        store.advance(&sensor(), tick(revision, Vec::new())).await?;
    }
    let mut request = PageRequest::first(3);
    let mut listed = Vec::new();
    loop {
        let page = store.ticks(&sensor(), &request).await?;
        listed.extend(page.items.into_iter().map(|tick| tick.at));
        let Some(next) = page.next else { break };
        request = request.after(next);
    }
    assert_eq!(listed, (0..7).rev().map(at).collect::<Vec<_>>());
    Ok(())
}

/// And turning it on again goes on from there.
pub async fn turning_a_trigger_off_leaves_its_cursor(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    store.set_enabled(&sensor(), Some(false)).await?;
    assert_eq!(store.trigger(&sensor()).await?.enabled, Some(false));
    store.advance(&sensor(), tick(0, Vec::new())).await?;
    let state = store.trigger(&sensor()).await?;
    assert_eq!((state.enabled, state.revision), (Some(false), 1));
    store.set_enabled(&sensor(), None).await?;
    let state = store.trigger(&sensor()).await?;
    assert_eq!(
        (state.enabled, state.cursor.as_deref()),
        (None, Some("file-0"))
    );
    Ok(())
}

/// The message says what to do instead.
pub async fn too_many_runs_in_one_tick_are_refused(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    let runs = |n: usize| (0..n as u64).map(|n| new_run(n, None)).collect::<Vec<_>>();
    let error = store
        .advance(&sensor(), tick(0, runs(MAX_RUNS_PER_TICK + 1)))
        .await;
    let error = error.expect_err("there are too many");
    assert_eq!(error.kind(), StateErrorKind::TooLarge);
    assert!(
        error
            .to_string()
            .contains("sensor:landing asks for 31 runs"),
        "{error}"
    );
    assert_eq!(store.trigger(&sensor()).await?.revision, 0);
    let most = store
        .advance(&sensor(), tick(0, runs(MAX_RUNS_PER_TICK)))
        .await?;
    assert!(matches!(most, Advanced::Done { .. }));
    Ok(())
}

/// A schedule may be named like a sensor.
pub async fn triggers_of_one_name_and_different_kinds_are_apart(
    h: &dyn Harness,
) -> StateResult<()> {
    let store = h.store();
    store.advance(&sensor(), tick(0, Vec::new())).await?;
    let schedule = TriggerId::new(TriggerKind::Schedule, "landing");
    assert_eq!(store.trigger(&schedule).await?, TriggerState::default());
    Ok(())
}
