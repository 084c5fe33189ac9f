use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::TimeDelta;
use chrono_tz::Tz;
use futures::future::join_all;
use precip_core::trigger::{CatchUp, DefaultStatus, ScheduleSpec, ScheduleTiming};

use super::world::{World, at, unique};
use crate::{
    asset::{AssetError, Resources},
    state::{
        StateError, StateErrorKind, StateResult, StateStore, TickOutcome, TriggerStore,
        decorators::{CallHook, Hooked},
    },
    trigger::{
        RunRequest, ScheduleContext, ScheduleDefinition, ScheduleOutcome, SensorResult,
        TriggerFuture, evaluate_schedule, schedule_id, turn,
    },
};

fn schedule(target: &str, catch_up: CatchUp) -> ScheduleDefinition {
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

async fn invoke(
    world: &World,
    schedule: &ScheduleDefinition,
    now: &str,
    tick: Option<&str>,
) -> ScheduleOutcome {
    world.clock.set(now);
    evaluate_schedule(&world.ports, schedule, tick.map(at))
        .await
        .unwrap()
}

#[tokio::test]
async fn a_tick_is_handled_once_however_late_and_often_it_comes() {
    let world = World::new();
    let nightly = schedule("orders", CatchUp::All);
    let tick = Some("2024-03-02T06:00:00Z");
    invoke(&world, &nightly, "2024-03-02T06:00:03Z", tick).await;
    let twice = invoke(&world, &nightly, "2024-03-02T06:20:00Z", tick).await;
    assert!(twice.ticks.is_empty());
    invoke(&world, &nightly, "2024-03-03T05:59:00Z", None).await;
    // A scheduler whose clock is ahead.
    invoke(
        &world,
        &nightly,
        "2024-03-03T05:59:59Z",
        Some("2024-03-03T06:00:00Z"),
    )
    .await;
    assert_eq!(
        world.requested().await,
        ["orders 2024-03-01", "orders 2024-03-02"]
    );
    let (run, _) = &world.runs().await[0];
    assert_eq!(run.request.tags["precip/schedule"], "nightly");
    assert_eq!(
        run.request.tags["precip/scheduled_for"],
        "2024-03-02T06:00:00Z"
    );
}

#[tokio::test]
async fn missed_ticks_are_one_run_of_their_partitions() {
    let world = World::new();
    let nightly = schedule("orders", CatchUp::All);
    invoke(
        &world,
        &nightly,
        "2024-03-02T06:00:00Z",
        Some("2024-03-02T06:00:00Z"),
    )
    .await;
    let outcome = invoke(&world, &nightly, "2024-03-05T09:00:00Z", None).await;
    assert_eq!(outcome.ticks.len(), 3);
    assert_eq!(world.requested().await[1], "orders 2024-03-02...2024-03-04");
    let state = world.memory.trigger(&schedule_id("nightly")).await.unwrap();
    assert_eq!(state.cursor.as_deref(), Some("2024-03-05T06:00:00Z"));
    assert_eq!(
        state.last_tick.unwrap().note.as_deref(),
        Some("3 ticks were due")
    );
}

#[tokio::test]
async fn the_policy_decides_what_is_made_up_for() {
    for (policy, partitions, given_up) in [
        (CatchUp::Latest, Some("orders 2024-03-04"), 2),
        (
            CatchUp::Within(std::time::Duration::from_secs(3600)),
            None,
            3,
        ),
    ] {
        let world = World::new();
        let nightly = schedule("orders", policy);
        invoke(
            &world,
            &nightly,
            "2024-03-02T06:00:00Z",
            Some("2024-03-02T06:00:00Z"),
        )
        .await;
        let outcome = invoke(&world, &nightly, "2024-03-05T09:00:00Z", None).await;
        assert_eq!(outcome.given_up, given_up);
        assert_eq!(
            world.requested().await.get(1).map(String::as_str),
            partitions
        );
        let again = invoke(&world, &nightly, "2024-03-05T09:30:00Z", None).await;
        assert_eq!((again.ticks.len(), again.given_up), (0, 0));
    }
}

#[tokio::test]
async fn an_unpartitioned_target_is_made_once_for_all_missed_ticks() {
    let world = World::new();
    let nightly = schedule("report", CatchUp::All);
    invoke(
        &world,
        &nightly,
        "2024-03-02T06:00:00Z",
        Some("2024-03-02T06:00:00Z"),
    )
    .await;
    let outcome = invoke(&world, &nightly, "2024-03-05T09:00:00Z", None).await;
    assert_eq!((outcome.ticks.len(), outcome.given_up), (1, 2));
    assert_eq!(world.requested().await, ["report ", "report "]);
}

#[tokio::test]
async fn a_schedule_that_is_turned_on_begins_with_its_next_tick() {
    let world = World::new();
    let nightly = schedule("orders", CatchUp::All);
    let state: &dyn StateStore = world.memory.as_ref();
    let id = schedule_id("nightly");
    invoke(
        &world,
        &nightly,
        "2024-03-02T06:00:00Z",
        Some("2024-03-02T06:00:00Z"),
    )
    .await;
    turn(state, &id, false, at("2024-03-02T07:00:00Z"))
        .await
        .unwrap();
    assert!(
        !invoke(
            &world,
            &nightly,
            "2024-03-04T06:00:00Z",
            Some("2024-03-04T06:00:00Z")
        )
        .await
        .running
    );
    turn(state, &id, true, at("2024-03-05T07:00:00Z"))
        .await
        .unwrap();
    invoke(&world, &nightly, "2024-03-05T08:00:00Z", None).await;
    assert_eq!(world.requested().await, ["orders 2024-03-01"]);
    invoke(
        &world,
        &nightly,
        "2024-03-06T06:00:00Z",
        Some("2024-03-06T06:00:00Z"),
    )
    .await;
    assert_eq!(world.requested().await[1], "orders 2024-03-05");
}

#[tokio::test]
async fn looked_at_first_without_a_tick_it_begins_with_its_next() {
    let world = World::new();
    let nightly = schedule("orders", CatchUp::All);
    assert!(
        invoke(&world, &nightly, "2024-03-02T07:00:00Z", None)
            .await
            .ticks
            .is_empty()
    );
    assert_eq!(
        invoke(&world, &nightly, "2024-03-03T06:00:00Z", None)
            .await
            .ticks
            .len(),
        1
    );
}

/// Both changes of the clock in three zones: a tick in the hour that is left out comes when the
/// clock goes on, one in the hour that comes twice comes once, the second time.
#[tokio::test]
async fn changes_of_the_clock_lose_and_double_nothing() {
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
        let mut schedule = schedule("report", CatchUp::All);
        schedule.spec.timing = ScheduleTiming::Cron {
            cron: cron.parse().unwrap(),
            timezone: zone,
        };
        schedule = schedule.with_function(each_tick);
        let begin = at(from);
        turn(world.memory.as_ref(), &schedule_id("nightly"), true, begin)
            .await
            .unwrap();
        let mut ticks = Vec::new();
        // Looked at every ten minutes.
        for step in 0..days * 144 {
            let now = begin + TimeDelta::minutes(10 * step);
            let outcome = invoke(&world, &schedule, &now.to_rfc3339(), None).await;
            ticks.extend(
                outcome
                    .ticks
                    .iter()
                    .map(|tick| tick.format("%Y-%m-%dT%H:%M").to_string()),
            );
        }
        assert_eq!(ticks, expected, "{cron} in {zone}");
        assert_eq!(world.runs().await.len(), expected.len());
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
async fn a_function_is_called_for_each_tick_and_a_failure_stops_none() {
    let world = World::new();
    let nightly = schedule("report", CatchUp::All).with_function(each_tick);
    invoke(
        &world,
        &nightly,
        "2024-03-12T06:00:00Z",
        Some("2024-03-12T06:00:00Z"),
    )
    .await;
    let outcome = invoke(&world, &nightly, "2024-03-15T06:00:00Z", None).await;
    assert_eq!(
        outcome.failed,
        ["the tick of 2024-03-13T06:00:00Z: an unlucky day"]
    );
    assert_eq!(outcome.skipped, ["not today"]);
    assert_eq!(world.runs().await.len(), 2);
    // Alone, it is a tick that failed.
    invoke(&world, &nightly, "2024-04-12T06:00:00Z", None).await;
    invoke(&world, &nightly, "2024-04-13T06:00:00Z", None).await;
    let state = world.memory.trigger(&schedule_id("nightly")).await.unwrap();
    assert!(matches!(
        state.last_tick.unwrap().outcome,
        TickOutcome::Failed { .. }
    ));
}

#[tokio::test]
async fn very_many_missed_ticks_are_requested_in_portions() {
    let world = World::new();
    let nightly = schedule("report", CatchUp::All).with_function(each_tick);
    turn(
        world.memory.as_ref(),
        &schedule_id("nightly"),
        true,
        at("2024-01-01T07:00:00Z"),
    )
    .await
    .unwrap();
    let outcome = invoke(&world, &nightly, "2024-06-30T07:00:00Z", None).await;
    assert_eq!(outcome.ticks.len(), 181);
    assert_eq!(world.runs().await.len(), 181 - 12);
}

#[derive(Debug)]
struct Death(Mutex<fastrand::Rng>);

#[async_trait]
impl CallHook for Death {
    async fn before(&self, _: &'static str) -> StateResult<()> {
        tokio::task::yield_now().await;
        match self.0.lock().unwrap().f64() < 0.1 {
            true => Err(StateError::new(StateErrorKind::Unavailable, "killed")),
            false => Ok(()),
        }
    }

    async fn after(&self, call: &'static str) -> StateResult<()> {
        self.before(call).await
    }
}

#[tokio::test]
async fn killed_anywhere_and_invoked_at_the_same_time_each_day_is_requested_once() {
    for seed in 0..40 {
        let world = World::seeded(seed);
        let nightly = schedule("orders", CatchUp::All);
        let state = Arc::clone(&world.memory) as Arc<dyn StateStore>;
        let death = Death(Mutex::new(fastrand::Rng::with_seed(seed)));
        let ports = world.behind(Arc::new(Hooked::new(state, death)));
        let begin = at("2024-03-01T06:00:00Z");
        turn(world.memory.as_ref(), &schedule_id("nightly"), true, begin)
            .await
            .unwrap();
        for day in 1..=20 {
            let tick = begin + TimeDelta::days(day);
            world.clock.set(&tick.to_rfc3339());
            join_all((0..3).map(|_| evaluate_schedule(&ports, &nightly, Some(tick)))).await;
        }
        evaluate_schedule(&world.ports, &nightly, None)
            .await
            .unwrap();
        let runs = world.runs().await;
        let keys: Vec<String> = runs.iter().flat_map(|(_, keys)| keys.clone()).collect();
        assert_eq!((keys.len(), unique(&keys).len()), (20, 20), "seed {seed}");
        let launched = world.launches.counts.lock().unwrap();
        assert!(
            runs.iter().all(|(run, _)| launched.contains_key(&run.id)),
            "seed {seed}"
        );
    }
}
