use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::TimeDelta;
use chrono_tz::Tz;
use futures::future::join_all;
use precip_core::trigger::{CatchUp, DefaultStatus, ScheduleSpec, ScheduleTiming};

use super::world::{World, unique_keys, utc};
use crate::{
    asset::{AssetError, Resources},
    state::{
        StateError, StateErrorKind, StateResult, StateStore, TickOutcome, TriggerStore,
        decorators::{CallHook, Hooked},
    },
    trigger::{
        RunRequest, ScheduleContext, ScheduleDefinition, ScheduleOutcome, SensorResult,
        TriggerFuture, evaluate_schedule, schedule_id, switch_trigger,
    },
};

fn nightly_schedule(target: &str, catch_up: CatchUp) -> ScheduleDefinition {
    ScheduleDefinition::new(ScheduleSpec {
        name: "nightly".parse().unwrap(),
        timing: ScheduleTiming::Cron {
            cron: "0 6 * * *".parse().unwrap(),
            timezone: Tz::UTC,
        },
        target: Some(target.parse().unwrap()),
        catch_up,
        default_status: DefaultStatus::Running,
        description: None,
        has_function: false,
    })
}

async fn invoke_at(
    world: &World,
    schedule: &ScheduleDefinition,
    now: &str,
    tick: Option<&str>,
) -> ScheduleOutcome {
    world.clock.set_now(now);
    evaluate_schedule(&world.ports, schedule, tick.map(utc))
        .await
        .unwrap()
}

#[tokio::test]
async fn a_tick_is_handled_once_however_late_and_often_it_is_delivered() {
    let world = World::new();
    let nightly = nightly_schedule("orders", CatchUp::All);
    let tick = Some("2024-03-02T06:00:00Z");
    invoke_at(&world, &nightly, "2024-03-02T06:00:03Z", tick).await;
    // The same tick again, late.
    let twice = invoke_at(&world, &nightly, "2024-03-02T06:20:00Z", tick).await;
    assert!(twice.ticks.is_empty());
    invoke_at(&world, &nightly, "2024-03-03T05:59:00Z", None).await;
    // A scheduler whose clock is ahead.
    invoke_at(
        &world,
        &nightly,
        "2024-03-03T05:59:59Z",
        Some("2024-03-03T06:00:00Z"),
    )
    .await;
    assert_eq!(
        world.requested_lines().await,
        ["orders 2024-03-01", "orders 2024-03-02"]
    );
    let (run, _) = &world.recorded_runs().await[0];
    assert_eq!(run.request.tags["precip/schedule"], "nightly");
    assert_eq!(
        run.request.tags["precip/scheduled_for"],
        "2024-03-02T06:00:00Z"
    );
}

#[tokio::test]
async fn missed_ticks_are_one_run_of_their_partitions() {
    let world = World::new();
    let nightly = nightly_schedule("orders", CatchUp::All);
    invoke_at(
        &world,
        &nightly,
        "2024-03-02T06:00:00Z",
        Some("2024-03-02T06:00:00Z"),
    )
    .await;
    let outcome = invoke_at(&world, &nightly, "2024-03-05T09:00:00Z", None).await;
    assert_eq!(outcome.ticks.len(), 3);
    assert_eq!(
        world.requested_lines().await[1],
        "orders 2024-03-02...2024-03-04"
    );
    let state = world
        .memory
        .trigger_state(&schedule_id("nightly"))
        .await
        .unwrap();
    assert_eq!(state.cursor.as_deref(), Some("2024-03-05T06:00:00Z"));
    assert_eq!(
        state.last_tick.unwrap().note.as_deref(),
        Some("3 ticks were due")
    );
}

#[tokio::test]
async fn the_policy_decides_which_ticks_are_caught_up() {
    for (policy, partitions, given_up) in [
        (CatchUp::Latest, Some("orders 2024-03-04"), 2),
        (
            CatchUp::Within(std::time::Duration::from_secs(3600)),
            None,
            3,
        ),
    ] {
        let world = World::new();
        let nightly = nightly_schedule("orders", policy);
        invoke_at(
            &world,
            &nightly,
            "2024-03-02T06:00:00Z",
            Some("2024-03-02T06:00:00Z"),
        )
        .await;
        let outcome = invoke_at(&world, &nightly, "2024-03-05T09:00:00Z", None).await;
        assert_eq!(outcome.given_up, given_up);
        assert_eq!(
            world.requested_lines().await.get(1).map(String::as_str),
            partitions
        );
        let again = invoke_at(&world, &nightly, "2024-03-05T09:30:00Z", None).await;
        assert_eq!((again.ticks.len(), again.given_up), (0, 0));
    }
}

#[tokio::test]
async fn a_tick_without_a_window_of_its_own_is_skipped_with_its_reason() {
    let world = World::new();
    let mut hourly = nightly_schedule("orders", CatchUp::All);
    hourly.spec.timing = ScheduleTiming::Cron {
        cron: "0 */12 * * *".parse().unwrap(),
        timezone: Tz::UTC,
    };
    for tick in [
        "2024-03-02T00:00:00Z",
        "2024-03-02T12:00:00Z",
        "2024-03-03T00:00:00Z",
    ] {
        invoke_at(&world, &hourly, tick, Some(tick)).await;
    }
    assert_eq!(
        world.requested_lines().await,
        ["orders 2024-03-01", "orders 2024-03-02"]
    );
    let idle = invoke_at(
        &world,
        &hourly,
        "2024-03-03T12:00:00Z",
        Some("2024-03-03T12:00:00Z"),
    )
    .await;
    let reason =
        "no new window since the tick of 2024-03-03T00:00:00Z: `2024-03-02` is still the last";
    assert_eq!(idle.skipped, [reason]);
    let state = world
        .memory
        .trigger_state(&schedule_id("nightly"))
        .await
        .unwrap();
    assert_eq!(state.cursor.as_deref(), Some("2024-03-03T12:00:00Z"));
    // The window that a missed tick would have handled is not lost to a later tick without one.
    hourly.spec.catch_up = CatchUp::Latest;
    let late = invoke_at(&world, &hourly, "2024-03-04T13:00:00Z", None).await;
    assert_eq!((late.given_up, late.runs.len()), (0, 1));
    assert_eq!(world.requested_lines().await[2], "orders 2024-03-03");
}

#[tokio::test]
async fn an_unpartitioned_target_is_made_once_for_all_missed_ticks() {
    let world = World::new();
    let nightly = nightly_schedule("report", CatchUp::All);
    invoke_at(
        &world,
        &nightly,
        "2024-03-02T06:00:00Z",
        Some("2024-03-02T06:00:00Z"),
    )
    .await;
    let outcome = invoke_at(&world, &nightly, "2024-03-05T09:00:00Z", None).await;
    // One run brings the asset up to date: the older ticks are given up.
    assert_eq!((outcome.ticks.len(), outcome.given_up), (1, 2));
    assert_eq!(world.requested_lines().await, ["report ", "report "]);
}

#[tokio::test]
async fn a_schedule_that_is_turned_on_begins_with_its_next_tick() {
    let world = World::new();
    let nightly = nightly_schedule("orders", CatchUp::All);
    let state: &dyn StateStore = world.memory.as_ref();
    let id = schedule_id("nightly");
    invoke_at(
        &world,
        &nightly,
        "2024-03-02T06:00:00Z",
        Some("2024-03-02T06:00:00Z"),
    )
    .await;
    switch_trigger(state, &id, false, utc("2024-03-02T07:00:00Z"))
        .await
        .unwrap();
    assert!(
        !invoke_at(
            &world,
            &nightly,
            "2024-03-04T06:00:00Z",
            Some("2024-03-04T06:00:00Z")
        )
        .await
        .running
    );
    switch_trigger(state, &id, true, utc("2024-03-05T07:00:00Z"))
        .await
        .unwrap();
    // The ticks while it was off are not caught up.
    invoke_at(&world, &nightly, "2024-03-05T08:00:00Z", None).await;
    assert_eq!(world.requested_lines().await, ["orders 2024-03-01"]);
    invoke_at(
        &world,
        &nightly,
        "2024-03-06T06:00:00Z",
        Some("2024-03-06T06:00:00Z"),
    )
    .await;
    assert_eq!(world.requested_lines().await[1], "orders 2024-03-05");
}

#[tokio::test]
async fn first_invoked_without_a_tick_it_starts_with_its_next() {
    let world = World::new();
    let nightly = nightly_schedule("orders", CatchUp::All);
    assert!(
        invoke_at(&world, &nightly, "2024-03-02T07:00:00Z", None)
            .await
            .ticks
            .is_empty()
    );
    assert_eq!(
        invoke_at(&world, &nightly, "2024-03-03T06:00:00Z", None)
            .await
            .ticks
            .len(),
        1
    );
}

/// Both clock changes in three zones: a tick in the skipped hour is due right after it, and a tick in the
/// hour that occurs twice is due once, at the second time.
#[tokio::test]
async fn clock_changes_neither_lose_nor_repeat_a_tick() {
    for (zone, cron, from, days, expected) in [
        (
            Tz::America__New_York,
            "30 2 * * *",
            "2024-03-09T00:00:00Z",
            3,
            &["2024-03-09T07:30", "2024-03-10T07:00", "2024-03-11T06:30"][..],
        ),
        (
            Tz::America__New_York,
            "30 1 * * *",
            "2024-11-02T00:00:00Z",
            3,
            &["2024-11-02T05:30", "2024-11-03T06:30", "2024-11-04T06:30"],
        ),
        (
            Tz::Europe__Berlin,
            "30 2 * * *",
            "2024-03-30T00:00:00Z",
            3,
            &["2024-03-30T01:30", "2024-03-31T01:00", "2024-04-01T00:30"],
        ),
        (
            Tz::Europe__Berlin,
            "30 2 * * *",
            "2024-10-26T00:00:00Z",
            3,
            &["2024-10-26T00:30", "2024-10-27T01:30", "2024-10-28T01:30"],
        ),
        (
            Tz::Australia__Lord_Howe,
            "15 2 * * *",
            "2024-10-04T12:00:00Z",
            3,
            &["2024-10-04T15:45", "2024-10-05T15:30", "2024-10-06T15:15"],
        ),
        (
            Tz::Australia__Lord_Howe,
            "45 1 * * *",
            "2024-04-05T12:00:00Z",
            3,
            &["2024-04-05T14:45", "2024-04-06T15:15", "2024-04-07T15:15"],
        ),
    ] {
        let world = World::new();
        let mut schedule = nightly_schedule("report", CatchUp::All);
        schedule.spec.timing = ScheduleTiming::Cron {
            cron: cron.parse().unwrap(),
            timezone: zone,
        };
        schedule = schedule.with_function(each_tick);
        let begin = utc(from);
        switch_trigger(world.memory.as_ref(), &schedule_id("nightly"), true, begin)
            .await
            .unwrap();
        let mut ticks = Vec::new();
        // Invoked every ten minutes.
        for step in 0..days * 144 {
            let now = begin + TimeDelta::minutes(10 * step);
            let outcome = invoke_at(&world, &schedule, &now.to_rfc3339(), None).await;
            ticks.extend(
                outcome
                    .ticks
                    .iter()
                    .map(|tick| tick.format("%Y-%m-%dT%H:%M").to_string()),
            );
        }
        assert_eq!(ticks, expected, "{cron} in {zone}");
        assert_eq!(world.recorded_runs().await.len(), expected.len());
    }
}

fn each_tick(context: ScheduleContext, _: &Resources) -> TriggerFuture<'_> {
    Box::pin(async move {
        let day = context.scheduled_for().format("%d").to_string();
        match day.as_str() {
            "13" => Err(AssetError::terminal("an unlucky day")),
            "14" => Ok(SensorResult {
                skip: Some("not today".to_owned()),
                ..SensorResult::default()
            }),
            _ => Ok(SensorResult::requests([RunRequest::new().tag("day", day)])),
        }
    })
}

#[tokio::test]
async fn a_function_is_called_for_each_tick_and_a_failure_stops_no_other() {
    let world = World::new();
    let nightly = nightly_schedule("report", CatchUp::All).with_function(each_tick);
    invoke_at(
        &world,
        &nightly,
        "2024-03-12T06:00:00Z",
        Some("2024-03-12T06:00:00Z"),
    )
    .await;
    let outcome = invoke_at(&world, &nightly, "2024-03-15T06:00:00Z", None).await;
    assert_eq!(
        outcome.failed,
        ["the tick of 2024-03-13T06:00:00Z: an unlucky day"]
    );
    assert_eq!(outcome.skipped, ["not today"]);
    assert_eq!(world.recorded_runs().await.len(), 2);
    // Alone, it is recorded as a failed tick.
    invoke_at(&world, &nightly, "2024-04-12T06:00:00Z", None).await;
    invoke_at(&world, &nightly, "2024-04-13T06:00:00Z", None).await;
    let state = world
        .memory
        .trigger_state(&schedule_id("nightly"))
        .await
        .unwrap();
    assert!(matches!(
        state.last_tick.unwrap().outcome,
        TickOutcome::Failed { .. }
    ));
}

fn misconfigured(_: ScheduleContext, _: &Resources) -> TriggerFuture<'_> {
    Box::pin(async {
        let config = serde_json::json!({"report": {"limit": 1}});
        Ok(SensorResult::requests([RunRequest::new().config(config)]))
    })
}

#[tokio::test]
async fn a_request_with_invalid_config_fails_its_tick_and_records_no_run() {
    let world = World::new();
    let nightly = nightly_schedule("report", CatchUp::All).with_function(misconfigured);
    let tick = "2024-03-12T06:00:00Z";
    let outcome = invoke_at(&world, &nightly, tick, Some(tick)).await;
    assert_eq!(
        outcome.failed,
        [
            "the tick of 2024-03-12T06:00:00Z: the run config has a value for op `report`, which \
             takes no config: leave it out"
        ]
    );
    assert!(world.recorded_runs().await.is_empty());
}

#[tokio::test]
async fn very_many_missed_ticks_are_requested_in_portions() {
    let world = World::new();
    let nightly = nightly_schedule("report", CatchUp::All).with_function(each_tick);
    switch_trigger(
        world.memory.as_ref(),
        &schedule_id("nightly"),
        true,
        utc("2024-01-01T07:00:00Z"),
    )
    .await
    .unwrap();
    let outcome = invoke_at(&world, &nightly, "2024-06-30T07:00:00Z", None).await;
    // The function skips or fails on the 13th and 14th of each of the six months.
    assert_eq!(outcome.ticks.len(), 181);
    assert_eq!(world.recorded_runs().await.len(), 181 - 12);
}

#[derive(Debug)]
struct Death(Mutex<fastrand::Rng>);

#[async_trait]
impl CallHook for Death {
    async fn before_call(&self, _: &'static str) -> StateResult<()> {
        tokio::task::yield_now().await;
        if self.0.lock().unwrap().f64() < 0.1 {
            return Err(StateError::new(StateErrorKind::Unavailable, "killed"));
        }
        Ok(())
    }

    async fn after_call(&self, call: &'static str) -> StateResult<()> {
        self.before_call(call).await
    }
}

#[tokio::test]
async fn killed_anywhere_and_invoked_concurrently_each_day_is_requested_once() {
    for seed in 0..40 {
        let world = World::with_seed(seed);
        let nightly = nightly_schedule("orders", CatchUp::All);
        let state = Arc::clone(&world.memory) as Arc<dyn StateStore>;
        let death = Death(Mutex::new(fastrand::Rng::with_seed(seed)));
        let ports = world.ports_with_state(Arc::new(Hooked::new(state, death)));
        let begin = utc("2024-03-01T06:00:00Z");
        switch_trigger(world.memory.as_ref(), &schedule_id("nightly"), true, begin)
            .await
            .unwrap();
        for day in 1..=20 {
            let tick = begin + TimeDelta::days(day);
            world.clock.set_now(&tick.to_rfc3339());
            join_all((0..3).map(|_| evaluate_schedule(&ports, &nightly, Some(tick)))).await;
        }
        evaluate_schedule(&world.ports, &nightly, None)
            .await
            .unwrap();
        let runs = world.recorded_runs().await;
        let keys: Vec<String> = runs.iter().flat_map(|(_, keys)| keys.clone()).collect();
        assert_eq!(
            (keys.len(), unique_keys(&keys).len()),
            (20, 20),
            "seed {seed}"
        );
        let launched = world.launches.counts.lock().unwrap();
        assert!(
            runs.iter().all(|(run, _)| launched.contains_key(&run.id)),
            "seed {seed}"
        );
    }
}
