//! Rules of [`TriggerStore`](crate::state::TriggerStore).

use super::{
    Harness,
    fixtures::{at_second, collect_pages, new_run, run_id},
    run_at_once,
};
use crate::state::{
    Advance, Advanced, MAX_RUNS_PER_TICK, NewRun, PageRequest, RunKey, StateErrorKind, StateResult,
    TickOutcome, TickRequest, TriggerId, TriggerKind, TriggerState,
};

fn landing_sensor() -> TriggerId {
    TriggerId::new(TriggerKind::Sensor, "landing")
}

fn advance_with_runs(revision: u64, runs: Vec<NewRun>) -> Advance {
    Advance {
        revision,
        cursor: Some(format!("file-{revision}")),
        at: at_second(revision.cast_signed()),
        scheduled_for: None,
        request: TickRequest::Runs(runs),
        note: None,
    }
}

/// A trigger that never ticked has revision 0 and no cursor.
pub async fn a_new_trigger_has_the_default_state(h: &dyn Harness) -> StateResult<()> {
    assert_eq!(
        h.store().trigger_state(&landing_sensor()).await?,
        TriggerState::default()
    );
    Ok(())
}

/// One call moves the cursor, creates the runs and records the tick.
pub async fn a_tick_moves_the_cursor_and_creates_its_runs(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    let advanced = store
        .advance_trigger(
            &landing_sensor(),
            advance_with_runs(0, vec![new_run(1, Some("a")), new_run(2, None)]),
        )
        .await?;
    let Advanced::Done { runs } = advanced else {
        panic!("no other process advances the sensor");
    };
    assert!(runs.iter().all(|created| created.is_new()));
    assert!(store.find_run(run_id(2)).await?.is_some());
    let state = store.trigger_state(&landing_sensor()).await?;
    assert_eq!(
        (state.revision, state.cursor.as_deref()),
        (1, Some("file-0"))
    );
    let last = state.last_tick.expect("it ticked");
    assert_eq!(
        last.outcome,
        TickOutcome::Requested(vec![run_id(1), run_id(2)])
    );
    // A failed tick is recorded with its time and note.
    let mut failing = advance_with_runs(1, Vec::new());
    failing.request = TickRequest::Fail {
        message: "403".to_owned(),
    };
    failing.scheduled_for = Some(at_second(77));
    failing.note = Some("the bucket is closed".to_owned());
    store.advance_trigger(&landing_sensor(), failing).await?;
    let last = store
        .trigger_state(&landing_sensor())
        .await?
        .last_tick
        .expect("it ticked");
    assert_eq!(
        last.outcome,
        TickOutcome::Failed {
            message: "403".to_owned()
        }
    );
    assert_eq!(last.scheduled_for, Some(at_second(77)));
    assert_eq!(last.note.as_deref(), Some("the bucket is closed"));
    Ok(())
}

/// A tick from a stale revision moves no cursor and creates no run.
pub async fn a_tick_from_a_stale_revision_changes_nothing(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    store
        .advance_trigger(&landing_sensor(), advance_with_runs(0, Vec::new()))
        .await?;
    let known = store.trigger_state(&landing_sensor()).await?;
    for revision in [0, 2] {
        let stale = store
            .advance_trigger(
                &landing_sensor(),
                advance_with_runs(revision, vec![new_run(1, None)]),
            )
            .await?;
        assert_eq!(stale, Advanced::Refused(known.clone()));
    }
    assert_eq!(store.trigger_state(&landing_sensor()).await?, known);
    assert_eq!(store.find_run(run_id(1)).await?, None);
    Ok(())
}

/// Of many concurrent ticks from one revision one is recorded.
pub async fn one_of_many_racing_ticks_is_recorded(h: &dyn Harness) -> StateResult<()> {
    let peers = [h.store(), h.open_peer().await];
    let ticks = (0..12).map(|n| {
        let store = peers[n % 2].clone();
        let advance = advance_with_runs(0, vec![new_run(n as u64, None)]);
        async move { store.advance_trigger(&landing_sensor(), advance).await }
    });
    let mut done = 0;
    for answer in run_at_once(ticks).await {
        done += u32::from(matches!(answer?, Advanced::Done { .. }));
    }
    assert_eq!(done, 1);
    // The refused ticks created no runs.
    let runs = peers[0]
        .list_runs(&Default::default(), &PageRequest::first(50))
        .await?;
    assert_eq!(runs.items.len(), 1);
    Ok(())
}

/// A repeated run key of a trigger returns the existing run.
pub async fn a_known_run_key_returns_the_existing_run(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    let mut first = new_run(1, None);
    first.key = Some(RunKey::from_trigger(&landing_sensor(), "file-1"));
    store
        .advance_trigger(&landing_sensor(), advance_with_runs(0, vec![first.clone()]))
        .await?;
    let mut again = new_run(2, None);
    again.key.clone_from(&first.key);
    let Advanced::Done { runs } = store
        .advance_trigger(&landing_sensor(), advance_with_runs(1, vec![again]))
        .await?
    else {
        panic!("no other process advances the sensor");
    };
    assert!(!runs[0].is_new());
    assert_eq!(runs[0].run().id, run_id(1));
    let last = store
        .trigger_state(&landing_sensor())
        .await?
        .last_tick
        .expect("it ticked");
    assert_eq!(last.outcome, TickOutcome::Requested(vec![run_id(1)]));
    // Another trigger's and a person's equal keys are other requests.
    let other = TriggerId::new(TriggerKind::Schedule, "landing");
    let mut keyed = new_run(3, Some("file-1"));
    assert!(store.create_run(keyed.clone()).await?.is_new());
    (keyed.id, keyed.key) = (run_id(4), Some(RunKey::from_trigger(&other, "file-1")));
    assert!(store.create_run(keyed).await?.is_new());
    Ok(())
}

/// Pages hold every tick once, newest first.
pub async fn ticks_are_listed_newest_first_in_pages(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    for revision in 0..7 {
        store
            .advance_trigger(&landing_sensor(), advance_with_runs(revision, Vec::new()))
            .await?;
    }
    let pages = async |request: &PageRequest| store.list_ticks(&landing_sensor(), request).await;
    let listed: Vec<_> = collect_pages(3, pages)
        .await?
        .into_iter()
        .map(|tick| tick.at)
        .collect();
    assert_eq!(listed, (0..7).rev().map(at_second).collect::<Vec<_>>());
    Ok(())
}

/// A trigger that is turned off keeps its cursor and continues from it later.
pub async fn turning_a_trigger_off_leaves_its_cursor(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    store
        .set_trigger_enabled(&landing_sensor(), Some(false))
        .await?;
    assert_eq!(
        store.trigger_state(&landing_sensor()).await?.enabled,
        Some(false)
    );
    store
        .advance_trigger(&landing_sensor(), advance_with_runs(0, Vec::new()))
        .await?;
    let state = store.trigger_state(&landing_sensor()).await?;
    assert_eq!((state.enabled, state.revision), (Some(false), 1));
    store.set_trigger_enabled(&landing_sensor(), None).await?;
    let state = store.trigger_state(&landing_sensor()).await?;
    assert_eq!(
        (state.enabled, state.cursor.as_deref()),
        (None, Some("file-0"))
    );
    Ok(())
}

/// The error for too many runs says what to do instead.
pub async fn too_many_runs_in_one_tick_are_refused(h: &dyn Harness) -> StateResult<()> {
    let store = h.store();
    let runs = |n: usize| (0..n as u64).map(|n| new_run(n, None)).collect::<Vec<_>>();
    let error = store
        .advance_trigger(
            &landing_sensor(),
            advance_with_runs(0, runs(MAX_RUNS_PER_TICK + 1)),
        )
        .await
        .expect_err("there are too many");
    assert_eq!(error.kind(), StateErrorKind::TooLarge);
    assert!(
        error
            .to_string()
            .contains("sensor:landing requests 31 runs"),
        "{error}"
    );
    assert_eq!(store.trigger_state(&landing_sensor()).await?.revision, 0);
    // The limit itself is accepted.
    let most = store
        .advance_trigger(
            &landing_sensor(),
            advance_with_runs(0, runs(MAX_RUNS_PER_TICK)),
        )
        .await?;
    assert!(matches!(most, Advanced::Done { .. }));
    Ok(())
}

/// A schedule and a sensor may have the same name.
pub async fn triggers_of_one_name_and_different_kinds_are_apart(
    h: &dyn Harness,
) -> StateResult<()> {
    let store = h.store();
    store
        .advance_trigger(&landing_sensor(), advance_with_runs(0, Vec::new()))
        .await?;
    let schedule = TriggerId::new(TriggerKind::Schedule, "landing");
    assert_eq!(
        store.trigger_state(&schedule).await?,
        TriggerState::default()
    );
    Ok(())
}
