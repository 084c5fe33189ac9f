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

use super::world::{World, at, nothing};
use crate::{
    asset::FnBody,
    definitions::{Definitions, OpDefinition},
    trigger::{Invocation, ScheduleDefinition, evaluate_schedule, schedule_id, turn},
};

/// Each zone with a time of day that is left out when its clock is put forward, and one that comes twice
/// when it is put back: the two are an hour apart or the same, and in Lord Howe half an hour.
const TIMES: [(Tz, &str, &str); 3] = [
    (Tz::Europe__Berlin, "30 2 * * *", "30 2 * * *"),
    (Tz::America__New_York, "30 2 * * *", "30 1 * * *"),
    (Tz::Australia__Lord_Howe, "15 2 * * *", "45 1 * * *"),
];

fn midnight(zone: Tz, year: i32) -> DateTime<Utc> {
    let first = zone.with_ymd_and_hms(year, 1, 1, 0, 0, 0).unwrap();
    first.with_timezone(&Utc)
}

/// `daily` of each day in a zone, and a schedule of it.
fn project(zone: Tz, cron: &str, catch_up: CatchUp) -> (World, ScheduleDefinition) {
    let days = TimeWindowPartitions::daily("2025-12-01").timezone(zone.name());
    let daily = AssetSpec {
        partitions: Some(Arc::new(days.build().unwrap().into())),
        ..AssetSpec::new("daily".parse().unwrap())
    };
    let op = OpDefinition::new(OpSpec::single(daily), FnBody(nothing));
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
    (World::of(definitions, 7), schedule)
}

/// Whether a field of an expression takes a value.
fn takes(field: &str, value: u32) -> bool {
    let within = |part: &str| match part.split_once('-') {
        Some((first, last)) => (first.parse().unwrap()..=last.parse().unwrap()).contains(&value),
        None => part.parse() == Ok(value),
    };
    matches!(field, "*" | "?") || field.split(',').any(within)
}

/// When EventBridge Scheduler invokes: what falls where the clock is put forward it leaves out, and what
/// comes twice it invokes the first time.
///
/// Source: <https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html>
fn invoked(told: &SchedulerExpression, year: i32) -> Vec<DateTime<Utc>> {
    let zone: Tz = told.timezone.parse().unwrap();
    let fields = told.expression.strip_prefix("cron(").unwrap();
    let fields: Vec<&str> = fields.strip_suffix(')').unwrap().split(' ').collect();
    let [minute, hour, day, month, weekday, "*"] = fields[..] else {
        panic!("{told}");
    };
    assert_eq!(weekday, "?", "{told}");
    let (mut moment, end) = (midnight(zone, year), midnight(zone, year + 1));
    let mut invoked = Vec::new();
    while moment < end {
        let shown = moment.with_timezone(&zone);
        let named = takes(minute, shown.minute())
            && takes(hour, shown.hour())
            && takes(day, shown.day())
            && takes(month, shown.month());
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

/// Every invocation of a year, in order, with what is sent: the ticks, and the looks after changes of the
/// clock.
fn calls(zone: Tz, cron: &str, year: i32) -> Vec<(DateTime<Utc>, Value)> {
    let told = scheduler_expressions(&CronSchedule::new(cron, zone).unwrap()).unwrap();
    let ticks = told.expressions.iter().flat_map(|told| invoked(told, year));
    let ticks = ticks.map(|tick| {
        let sent = json!({
            "schedule": "nightly",
            "scheduled_for": tick.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "execution": "8f3a1c52-6d5b-4d8e-9d4b-1f2e3d4c5b6a",
            "attempt": "1",
        });
        (tick, sent)
    });
    let looks = told.guards.iter().flat_map(|told| invoked(&told.0, year));
    let looks = looks.map(|look| (look, json!({"schedule": "nightly"})));
    let mut calls: Vec<_> = ticks.chain(looks).collect();
    calls.sort_by_key(|(moment, _)| *moment);
    calls
}

/// What the function does with a call, a few seconds after it was due.
async fn call(
    world: &World,
    schedule: &ScheduleDefinition,
    (moment, sent): &(DateTime<Utc>, Value),
) {
    let late = *moment + TimeDelta::seconds(3);
    world.clock.set(&late.to_rfc3339());
    let Invocation::Tick(tick) = Invocation::read(sent).unwrap() else {
        panic!("{sent} is a tick");
    };
    assert_eq!(tick.schedule, schedule.name().as_str());
    let evaluated = evaluate_schedule(&world.ports, schedule, tick.scheduled_for).await;
    evaluated.unwrap();
}

/// The partitions of each run, in the order of requests, with when each was asked for.
async fn requested(world: &World) -> Vec<(String, DateTime<Utc>)> {
    let page = crate::state::PageRequest::first(1_000);
    let filter = crate::state::RunFilter::default();
    let state = &world.ports.state;
    let mut runs = state.runs(&filter, &page).await.unwrap().items;
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

/// Each day of a year asks once for the day before, whichever time of day is left out or comes twice, and
/// however often a call comes.
#[tokio::test]
async fn each_day_of_a_year_is_requested_once_on_both_sides_of_every_change() {
    for (zone, left_out, twice) in TIMES {
        for cron in [left_out, twice] {
            let (world, schedule) = project(zone, cron, CatchUp::All);
            let begin = midnight(zone, 2026);
            let id = schedule_id("nightly");
            turn(world.memory.as_ref(), &id, true, begin).await.unwrap();
            let calls = calls(zone, cron, 2026);
            for one in &calls {
                call(&world, &schedule, one).await;
                call(&world, &schedule, one).await;
            }
            let requested = requested(&world).await;
            let days: Vec<&String> = requested.iter().map(|(day, _)| day).collect();
            assert_eq!(
                days,
                days_before(2026).iter().collect::<Vec<_>>(),
                "{cron} in {zone}"
            );

            // What EventBridge Scheduler says by itself is a tick short where one is left out.
            let ticks = calls
                .iter()
                .filter(|(_, sent)| sent.get("scheduled_for").is_some());
            let missing = usize::from(cron == left_out);
            assert_eq!(ticks.count(), 365 - missing, "{cron} in {zone}");
        }
    }
}

/// The tick that is left out is made up for as soon as the clock goes on, and the one that comes twice is
/// the second.
#[tokio::test]
async fn a_tick_at_a_change_is_requested_when_the_clock_goes_on() {
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
        let (world, schedule) = project(zone, cron, CatchUp::All);
        for one in &calls(zone, cron, 2026) {
            call(&world, &schedule, one).await;
        }
        let requested = requested(&world).await;
        let asked = requested.iter().filter(|(asked, _)| asked == day);
        let asked: Vec<_> = asked.map(|(_, moment)| *moment).collect();
        assert_eq!(asked, [at(moment)], "{day}, {cron} in {zone}");
    }
}

/// Nothing is invoked from the day before a change to the day after it: what was missed is made up for as
/// the schedule says, once somebody calls again.
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
        let mut calls = calls(zone, cron, 2026);
        calls.retain(|(moment, _)| !lost(moment));
        let hours = |hours: u64| CatchUp::Within(std::time::Duration::from_secs(hours * 3_600));
        for (policy, expected) in [
            (CatchUp::All, all),
            (CatchUp::Latest, day(1).to_string()),
            (hours(26), format!("{},{}", day(0), day(1))),
        ] {
            let (world, schedule) = project(zone, cron, policy);
            for one in &calls {
                call(&world, &schedule, one).await;
            }
            let requested = requested(&world).await;
            let after = requested
                .iter()
                .position(|(_, moment)| moment.with_timezone(&zone).date_naive() == day(2));
            let after = after.unwrap();
            let made_up: Vec<&str> = requested[after - 1..=after + 1]
                .iter()
                .map(|(days, _)| &**days)
                .collect();
            let (before, next) = (day(-3).to_string(), day(2).to_string());
            assert_eq!(
                made_up,
                [&*before, &*expected, &*next],
                "{policy:?}: {cron} in {zone}"
            );
        }
    }
}
