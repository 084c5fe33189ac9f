//! A year of schedules in zones whose clocks change, invoked as EventBridge Scheduler invokes them.

use std::sync::Arc;

use chrono::{DateTime, Datelike, LocalResult, NaiveDate, TimeDelta, TimeZone, Timelike, Utc};
use chrono_tz::Tz;
use precip_core::{
    cron::CronSchedule,
    partitions::TimeWindowPartitions,
    spec::{AssetSpec, OpSpec},
    trigger::{
        CatchUp, DefaultStatus, ScheduleSpec, ScheduleTiming, SchedulerExpression,
        scheduler_expressions,
    },
};
use serde_json::{Value, json};

use super::world::{World, no_outputs, utc};
use crate::{
    asset::FnBody,
    definitions::{Definitions, OpDefinition},
    trigger::{Invocation, ScheduleDefinition, evaluate_schedule, schedule_id, switch_trigger},
};

/// Each zone with a time of day that is skipped when its clock goes forward, and one that occurs twice
/// when it goes back: the two are an hour apart or the same, and in Lord Howe half an hour.
const TIMES: [(Tz, &str, &str); 3] = [
    (Tz::Europe__Berlin, "30 2 * * *", "30 2 * * *"),
    (Tz::America__New_York, "30 2 * * *", "30 1 * * *"),
    (Tz::Australia__Lord_Howe, "15 2 * * *", "45 1 * * *"),
];

fn new_year_midnight(zone: Tz, year: i32) -> DateTime<Utc> {
    let first = zone.with_ymd_and_hms(year, 1, 1, 0, 0, 0).unwrap();
    first.with_timezone(&Utc)
}

/// A project with a daily asset in a zone, and a schedule of it.
fn daily_project(zone: Tz, cron: &str, catch_up: CatchUp) -> (World, ScheduleDefinition) {
    let days = TimeWindowPartitions::daily("2025-12-01").timezone(zone.name());
    let daily = AssetSpec {
        partitions: Some(Arc::new(days.build().unwrap().into())),
        ..AssetSpec::new("daily".parse().unwrap())
    };
    let op = OpDefinition::new(OpSpec::single(daily), FnBody(no_outputs));
    let definitions = Definitions::builder().op(op).build().unwrap();
    let schedule = ScheduleDefinition::new(ScheduleSpec {
        name: "nightly".parse().unwrap(),
        timing: ScheduleTiming::Cron {
            cron: cron.parse().unwrap(),
            timezone: zone,
        },
        target: Some("daily".parse().unwrap()),
        catch_up,
        default_status: DefaultStatus::Running,
        description: None,
        has_function: false,
    });
    (World::with_definitions(definitions, 7), schedule)
}

/// Returns whether a field of an expression matches a value.
fn field_matches(field: &str, value: u32) -> bool {
    let within = |part: &str| match part.split_once('-') {
        Some((first, last)) => (first.parse().unwrap()..=last.parse().unwrap()).contains(&value),
        None => part.parse() == Ok(value),
    };
    matches!(field, "*" | "?") || field.split(',').any(within)
}

/// Returns the times at which EventBridge Scheduler invokes: it leaves out a time that a clock change
/// skips, and invokes a time that occurs twice once, at the first.
///
/// Source: <https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html>
fn invocation_times(expression: &SchedulerExpression, year: i32) -> Vec<DateTime<Utc>> {
    let zone: Tz = expression.timezone.parse().unwrap();
    let fields = expression.expression.strip_prefix("cron(").unwrap();
    let fields: Vec<&str> = fields.strip_suffix(')').unwrap().split(' ').collect();
    let [minute, hour, day, month, weekday, "*"] = fields[..] else {
        panic!("{expression}");
    };
    assert_eq!(weekday, "?", "{expression}");
    let (mut moment, end) = (
        new_year_midnight(zone, year),
        new_year_midnight(zone, year + 1),
    );
    let mut invoked = Vec::new();
    while moment < end {
        let shown = moment.with_timezone(&zone);
        let named = field_matches(minute, shown.minute())
            && field_matches(hour, shown.hour())
            && field_matches(day, shown.day())
            && field_matches(month, shown.month());
        // A local time that occurs twice is invoked only the first time.
        let second = || match zone.from_local_datetime(&shown.naive_local()) {
            LocalResult::Ambiguous(_, second) => second == shown,
            _ => false,
        };
        if named && !second() {
            invoked.push(moment);
        }
        moment += TimeDelta::minutes(1);
    }
    invoked
}

/// Returns every invocation of a year, in order, with its payload: the ticks, and the guards after clock
/// changes.
fn scheduled_calls(zone: Tz, cron: &str, year: i32) -> Vec<(DateTime<Utc>, Value)> {
    let compiled = scheduler_expressions(&CronSchedule::new(cron, zone).unwrap()).unwrap();
    let tick_times = compiled
        .expressions
        .iter()
        .flat_map(|expression| invocation_times(expression, year));
    let ticks = tick_times.map(|tick| {
        let sent = json!({
            "schedule": "nightly",
            "scheduled_for": tick.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "execution": "8f3a1c52-6d5b-4d8e-9d4b-1f2e3d4c5b6a",
            "attempt": "1",
        });
        (tick, sent)
    });
    let guards = compiled
        .guards
        .iter()
        .flat_map(|guard| invocation_times(&guard.0, year))
        .map(|guard| (guard, json!({"schedule": "nightly"})));
    let mut calls: Vec<_> = ticks.chain(guards).collect();
    calls.sort_by_key(|(moment, _)| *moment);
    calls
}

/// Evaluates a call as the function does, a few seconds after it was due.
async fn deliver_call(
    world: &World,
    schedule: &ScheduleDefinition,
    (moment, sent): &(DateTime<Utc>, Value),
) {
    let late = *moment + TimeDelta::seconds(3);
    world.clock.set_now(&late.to_rfc3339());
    let Invocation::Tick(tick) = Invocation::from_payload(sent).unwrap() else {
        panic!("{sent} is a tick");
    };
    assert_eq!(tick.schedule, schedule.name().as_str());
    let evaluated = evaluate_schedule(&world.ports, schedule, tick.scheduled_for).await;
    evaluated.unwrap();
}

/// Returns the partitions of each run with the time of its request, in the order of requests.
async fn requested_runs(world: &World) -> Vec<(String, DateTime<Utc>)> {
    let page = crate::state::PageRequest::first(1_000);
    let filter = crate::state::RunFilter::default();
    let state = &world.ports.state;
    let mut runs = state.list_runs(&filter, &page).await.unwrap().items;
    runs.reverse();
    let asked = runs.into_iter();
    asked
        .map(|run| (run.request.partitions.unwrap(), run.created_at))
        .collect()
}

fn days_before(year: i32) -> Vec<String> {
    let first = NaiveDate::from_ymd_opt(year - 1, 12, 31).unwrap();
    let days = first.iter_days().take(365);
    days.map(|day| day.to_string()).collect()
}

/// Each day of a year requests the day before once, whichever time of day is skipped or occurs twice, and
/// however often a call is delivered.
#[tokio::test]
async fn each_day_of_a_year_is_requested_once_on_both_sides_of_every_change() {
    for (zone, left_out, twice) in TIMES {
        for cron in [left_out, twice] {
            let (world, schedule) = daily_project(zone, cron, CatchUp::All);
            let begin = new_year_midnight(zone, 2026);
            let id = schedule_id("nightly");
            switch_trigger(world.memory.as_ref(), &id, true, begin)
                .await
                .unwrap();
            let calls = scheduled_calls(zone, cron, 2026);
            for one in &calls {
                // Every call is delivered twice.
                deliver_call(&world, &schedule, one).await;
                deliver_call(&world, &schedule, one).await;
            }
            let requested = requested_runs(&world).await;
            let days: Vec<&String> = requested.iter().map(|(day, _)| day).collect();
            assert_eq!(
                days,
                days_before(2026).iter().collect::<Vec<_>>(),
                "{cron} in {zone}"
            );

            // EventBridge Scheduler alone is one tick short where a time of day is skipped.
            let ticks = calls
                .iter()
                .filter(|(_, sent)| sent.get("scheduled_for").is_some());
            let missing = usize::from(cron == left_out);
            assert_eq!(ticks.count(), 365 - missing, "{cron} in {zone}");
        }
    }
}

/// A skipped tick is requested right after the clock change, and a tick that occurs twice at its second
/// time.
#[tokio::test]
async fn a_tick_at_a_clock_change_is_requested_right_after_it() {
    for (zone, cron, day, moment) in [
        (
            Tz::Europe__Berlin,
            "30 2 * * *",
            "2026-03-28",
            "2026-03-29T01:00:03Z",
        ),
        (
            Tz::Europe__Berlin,
            "30 2 * * *",
            "2026-10-24",
            "2026-10-25T02:00:03Z",
        ),
        (
            Tz::America__New_York,
            "30 2 * * *",
            "2026-03-07",
            "2026-03-08T07:00:03Z",
        ),
        (
            Tz::America__New_York,
            "30 1 * * *",
            "2026-10-31",
            "2026-11-01T07:00:03Z",
        ),
        (
            Tz::Australia__Lord_Howe,
            "15 2 * * *",
            "2026-10-03",
            "2026-10-03T15:30:03Z",
        ),
        (
            Tz::Australia__Lord_Howe,
            "45 1 * * *",
            "2026-04-04",
            "2026-04-04T15:30:03Z",
        ),
    ] {
        let (world, schedule) = daily_project(zone, cron, CatchUp::All);
        for one in &scheduled_calls(zone, cron, 2026) {
            deliver_call(&world, &schedule, one).await;
        }
        let requested = requested_runs(&world).await;
        let times: Vec<_> = requested
            .iter()
            .filter(|(requested_day, _)| requested_day == day)
            .map(|(_, time)| *time)
            .collect();
        assert_eq!(times, [utc(moment)], "{day}, {cron} in {zone}");
    }
}

/// No invocation arrives from the day before a clock change to the day after it: missed ticks are caught
/// up by the schedule's policy at the next invocation.
#[tokio::test]
async fn ticks_missed_around_a_change_are_caught_up_as_declared() {
    for (zone, cron, change) in [
        (Tz::Europe__Berlin, "30 2 * * *", "2026-03-29"),
        (Tz::Europe__Berlin, "30 2 * * *", "2026-10-25"),
        (Tz::America__New_York, "30 2 * * *", "2026-03-08"),
        (Tz::America__New_York, "30 1 * * *", "2026-11-01"),
        (Tz::Australia__Lord_Howe, "15 2 * * *", "2026-10-04"),
        (Tz::Australia__Lord_Howe, "45 1 * * *", "2026-04-05"),
    ] {
        let change: NaiveDate = change.parse().unwrap();
        let day = |number: i64| change + TimeDelta::days(number);
        let lost = |moment: &DateTime<Utc>| {
            let shown = moment.with_timezone(&zone).date_naive();
            (day(-1)..=day(1)).contains(&shown)
        };
        let all = format!("{}...{}", day(-2), day(1));
        let mut calls = scheduled_calls(zone, cron, 2026);
        calls.retain(|(moment, _)| !lost(moment));
        let hours = |hours: u64| CatchUp::Within(std::time::Duration::from_secs(hours * 3_600));
        for (policy, expected) in [
            (CatchUp::All, all),
            (CatchUp::Latest, day(1).to_string()),
            (hours(26), format!("{},{}", day(0), day(1))),
        ] {
            let (world, schedule) = daily_project(zone, cron, policy);
            for one in &calls {
                deliver_call(&world, &schedule, one).await;
            }
            let requested = requested_runs(&world).await;
            let after = requested
                .iter()
                .position(|(_, moment)| moment.with_timezone(&zone).date_naive() == day(2))
                .unwrap();
            let caught_up: Vec<&str> = requested[after - 1..=after + 1]
                .iter()
                .map(|(days, _)| &**days)
                .collect();
            let (before, next) = (day(-3).to_string(), day(2).to_string());
            assert_eq!(
                caught_up,
                [&*before, &*expected, &*next],
                "{policy:?}: {cron} in {zone}"
            );
        }
    }
}
