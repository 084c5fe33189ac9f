use std::time::Duration;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use proptest::prelude::*;
use rstest::rstest;

use crate::{
    graph::AssetGraph,
    partitions::{
        MultiPartitions, PartitionContext, PartitionSet, PartitionsDefinition, StaticPartitions,
        TimeWindowBuilder, TimeWindowPartitions,
    },
    spec::{AssetSpec, OpSpec},
    trigger::{
        CatchUp, DefaultStatus, InvalidTrigger, ResolvedSchedule, ScheduleSpec, ScheduleTiming,
    },
};

fn moment(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn report_graph(partitions: Option<PartitionsDefinition>) -> AssetGraph {
    let asset = AssetSpec {
        partitions: partitions.map(Into::into),
        ..AssetSpec::new("report".parse().unwrap())
    };
    AssetGraph::new(vec![OpSpec::single(asset)], vec![]).unwrap()
}

fn schedule_spec(timing: ScheduleTiming) -> ScheduleSpec {
    ScheduleSpec {
        name: "nightly".parse().unwrap(),
        timing,
        target: Some("report".parse().unwrap()),
        catch_up: CatchUp::All,
        default_status: DefaultStatus::Running,
        description: None,
        has_function: false,
    }
}

fn cron_timing(cron: &str, timezone: Tz) -> ScheduleTiming {
    ScheduleTiming::Cron {
        cron: cron.parse().unwrap(),
        timezone,
    }
}

fn derived_timing(hour: Option<u32>, timezone: Option<Tz>) -> ScheduleTiming {
    ScheduleTiming::Partitions {
        minute: None,
        hour,
        weekday: None,
        day: None,
        timezone,
    }
}

fn daily_partitions(timezone: &str) -> PartitionsDefinition {
    let days = TimeWindowPartitions::daily("2024-01-01").timezone(timezone);
    days.build().unwrap().into()
}

/// The next ticks, each with its partitions.
fn preview_ticks(schedule: &ResolvedSchedule, from: &str, count: usize) -> Vec<String> {
    let ticks = schedule.ticks_after(moment(from)).take(count);
    ticks
        .map(|tick| {
            let context = PartitionContext::at(tick);
            let set = schedule.partitions_of_tick(tick, &context);
            let keys: Vec<String> = match schedule.definition() {
                Some(definition) => definition
                    .keys(&set, &context)
                    .map(|k| k.to_string())
                    .collect(),
                None => vec!["*".to_owned()],
            };
            format!("{} {}", tick.format("%dT%H:%M"), keys.join(","))
        })
        .collect()
}

#[test]
fn each_day_at_six_in_berlin_yesterdays_partition() {
    let graph = report_graph(Some(daily_partitions("Europe/Berlin")));
    let schedule = schedule_spec(derived_timing(Some(6), None))
        .resolve(&graph)
        .unwrap();
    // The clock is put forward on 31 March.
    assert_eq!(
        preview_ticks(&schedule, "2024-03-30T00:00:00Z", 3),
        [
            "30T05:00 2024-03-29",
            "31T04:00 2024-03-30",
            "01T04:00 2024-03-31"
        ]
    );
}

#[test]
fn a_derived_schedule_ticks_when_windows_close_by_default() {
    let graph = report_graph(Some(daily_partitions("America/New_York")));
    let schedule = schedule_spec(derived_timing(None, None))
        .resolve(&graph)
        .unwrap();
    assert_eq!(
        preview_ticks(&schedule, "2024-11-02T05:00:00Z", 3),
        [
            "03T04:00 2024-11-02",
            "04T05:00 2024-11-03",
            "05T05:00 2024-11-04"
        ]
    );
    let schedule = schedule_spec(derived_timing(Some(6), Some(Tz::Europe__Berlin)))
        .resolve(&graph)
        .unwrap();
    assert_eq!(
        preview_ticks(&schedule, "2024-11-02T06:00:00Z", 1),
        ["03T05:00 2024-11-02"]
    );
}

#[test]
fn a_tick_has_all_keys_of_the_other_dimensions() {
    let regions = StaticPartitions::new(["n", "s"]).unwrap();
    let both = MultiPartitions::new([("day", daily_partitions("UTC")), ("region", regions.into())])
        .unwrap();
    let graph = report_graph(Some(both.into()));
    let schedule = schedule_spec(derived_timing(Some(1), None))
        .resolve(&graph)
        .unwrap();
    assert_eq!(
        preview_ticks(&schedule, "2024-02-01T00:00:00Z", 1),
        ["01T01:00 2024-01-31|n,2024-01-31|s"]
    );
}

fn resolve(
    timing: ScheduleTiming,
    partitions: impl Into<PartitionsDefinition>,
) -> ResolvedSchedule {
    schedule_spec(timing)
        .resolve(&report_graph(Some(partitions.into())))
        .unwrap()
}

fn working_days() -> TimeWindowBuilder {
    TimeWindowPartitions::daily("2024-01-01").exclude("0 0 * * 6,0")
}

#[test]
fn each_window_belongs_to_one_tick() {
    let schedule = resolve(
        derived_timing(Some(3), None),
        working_days().build().unwrap(),
    );
    // From Friday noon on: Friday's window on Saturday, none on Sunday and Monday.
    assert_eq!(
        preview_ticks(&schedule, "2024-01-12T12:00:00Z", 5),
        [
            "13T03:00 2024-01-12",
            "14T03:00 ",
            "15T03:00 ",
            "16T03:00 2024-01-15",
            "17T03:00 2024-01-16"
        ]
    );
    let sunday = moment("2024-01-14T03:00:00Z");
    assert!(schedule.is_idle_at(sunday));
    assert_eq!(
        schedule.explain_empty_tick(sunday),
        "no new window since the tick of 2024-01-13T03:00:00Z: `2024-01-12` is still the last"
    );
}

#[test]
fn an_ended_definition_has_no_more_ticks_with_windows() {
    let days = TimeWindowPartitions::daily("2024-01-01").end("2024-01-06");
    let schedule = resolve(derived_timing(None, None), days.build().unwrap());
    assert_eq!(
        preview_ticks(&schedule, "2024-01-05T12:00:00Z", 3),
        ["06T00:00 2024-01-05", "07T00:00 ", "08T00:00 "]
    );
    assert_eq!(
        schedule.explain_empty_tick(moment("2024-01-08T00:00:00Z")),
        "the target's windows have ended: `2024-01-05` was the last"
    );
}

#[rstest]
// Weekly ticks over days, with the days that are left out.
#[case(
    cron_timing("0 6 * * mon", Tz::UTC),
    working_days(),
    "2024-01-08T12:00:00Z",
    "15T06:00 2024-01-08,2024-01-09,2024-01-10,2024-01-11,2024-01-12"
)]
// Hourly ticks over days.
#[case(
    cron_timing("0 * * * *", Tz::UTC),
    working_days(),
    "2024-01-12T23:00:00Z",
    "13T00:00 2024-01-12"
)]
#[case(
    cron_timing("0 * * * *", Tz::UTC),
    working_days(),
    "2024-01-13T00:00:00Z",
    "13T01:00 "
)]
// A day that some months lack: the window of February comes with that of January.
#[case(
    ScheduleTiming::Partitions { minute: None, hour: None, weekday: None, day: Some(31), timezone: None },
    TimeWindowPartitions::monthly("2023-12-01"),
    "2024-02-01T00:00:00Z",
    "31T00:00 2024-01-01,2024-02-01"
)]
// Windows of a cron schedule: the hour is kept, and a tick takes all of a day.
#[case(
    derived_timing(Some(3), None),
    TimeWindowPartitions::cron("0 */8 * * *", "2024-01-01-00:00", "%Y-%m-%d-%H:%M"),
    "2024-01-05T12:00:00Z",
    "06T03:00 2024-01-05-00:00,2024-01-05-08:00,2024-01-05-16:00"
)]
#[case(
    derived_timing(Some(3), None),
    TimeWindowPartitions::cron("0 0 * * 1-5", "2024-01-01", "%Y-%m-%d"),
    "2024-01-12T12:00:00Z",
    "13T03:00 "
)]
#[case(
    derived_timing(Some(3), None),
    TimeWindowPartitions::cron("0 0 * * 1-5", "2024-01-01", "%Y-%m-%d"),
    "2024-01-14T12:00:00Z",
    "15T03:00 2024-01-12"
)]
// A schedule that follows windows takes an open one once, when it begins.
#[case(derived_timing(None, None), working_days().end_offset(1), "2024-01-11T12:00:00Z", "12T00:00 2024-01-12")]
#[case(derived_timing(None, None), working_days().end_offset(1), "2024-01-12T12:00:00Z", "13T00:00 ")]
// One with a cron expression takes it at each tick, and once more when it has ended.
#[case(cron_timing("0 */12 * * *", Tz::UTC), working_days().end_offset(1), "2024-01-11T23:00:00Z", "12T00:00 2024-01-11,2024-01-12")]
#[case(cron_timing("0 */12 * * *", Tz::UTC), working_days().end_offset(1), "2024-01-12T00:00:00Z", "12T12:00 2024-01-12")]
#[case(cron_timing("0 */12 * * *", Tz::UTC), working_days().end_offset(1), "2024-01-12T12:00:00Z", "13T00:00 2024-01-12")]
#[case(cron_timing("0 */12 * * *", Tz::UTC), working_days().end_offset(1), "2024-01-13T00:00:00Z", "13T12:00 ")]
// One that is held back comes when the next has ended.
#[case(derived_timing(None, None), working_days().end_offset(-1), "2024-01-15T12:00:00Z", "16T00:00 2024-01-12")]
fn a_tick_has_the_windows_since_the_tick_before(
    #[case] timing: ScheduleTiming,
    #[case] windows: TimeWindowBuilder,
    #[case] from: &str,
    #[case] expected: &str,
) {
    let schedule = resolve(timing, windows.build().unwrap());
    assert_eq!(preview_ticks(&schedule, from, 1), [expected]);
}

#[test]
fn dimensions_follow_the_windows() {
    let regions = StaticPartitions::new(["n", "s"]).unwrap();
    let both = MultiPartitions::new([
        ("day", working_days().build().unwrap().into()),
        ("region", regions.into()),
    ]);
    let schedule = resolve(derived_timing(Some(1), None), both.unwrap());
    assert_eq!(
        preview_ticks(&schedule, "2024-01-12T12:00:00Z", 2),
        ["13T01:00 2024-01-12|n,2024-01-12|s", "14T01:00 "]
    );
}

#[test]
fn both_passes_of_an_hour_have_a_tick() {
    let hours = TimeWindowPartitions::hourly("2024-01-01-00:00").timezone("America/New_York");
    let schedule = resolve(derived_timing(None, None), hours.build().unwrap());
    assert_eq!(
        preview_ticks(&schedule, "2024-11-03T05:30:00Z", 2),
        [
            "03T06:00 2024-11-03-01:00",
            "03T07:00 2024-11-03-01:00-0500"
        ]
    );
}

#[rstest]
// On Monday noon the last tick, of Monday, has no window; that of Saturday has Friday's.
#[case(CatchUp::All, &[13, 14, 15], 0)]
#[case(CatchUp::Latest, &[13, 15], 0)]
#[case(CatchUp::Within(Duration::from_secs(36 * 3600)), &[14, 15], 1)]
fn missed_windows_are_caught_up_on_by_policy(
    #[case] policy: CatchUp,
    #[case] expected: &[u32],
    #[case] given_up: u64,
) {
    let schedule = resolve(
        derived_timing(Some(3), None),
        working_days().build().unwrap(),
    );
    let due = schedule.due_ticks(
        moment("2024-01-12T12:00:00Z"),
        moment("2024-01-15T12:00:00Z"),
        policy,
    );
    let days: Vec<u32> = due.ticks.iter().map(chrono::Datelike::day).collect();
    assert_eq!((&days[..], due.given_up), (expected, given_up));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever the ticks of a schedule that follows windows, each window belongs to one of them.
    #[test]
    fn ticks_divide_the_windows(
        kind in 0..6usize,
        zone in proptest::sample::select(vec!["UTC", "Europe/London", "Australia/Lord_Howe"]),
        offset in -2i32..=2,
        hour in proptest::option::of(0u32..24),
        exclude in any::<bool>(),
        days in 0i64..400,
    ) {
        let start = moment("2024-01-01T00:00:00Z").naive_utc();
        let builder = match kind {
            0 => TimeWindowPartitions::hourly(start),
            1 => TimeWindowPartitions::daily(start).hour_offset(5),
            2 => TimeWindowPartitions::weekly(start).day_offset(3),
            3 => TimeWindowPartitions::monthly(start).day_offset(28),
            4 => TimeWindowPartitions::cron("0 */6 * * *", start, "%Y-%m-%d-%H:%M"),
            _ => TimeWindowPartitions::cron("30 1 * * 1-5", start, "%Y-%m-%d-%H:%M"),
        };
        let builder = builder.timezone(zone).end_offset(offset);
        let builder = if exclude { builder.exclude("0 5 * * 2-4") } else { builder };
        let windows = builder.build().unwrap();
        // Hours have no `hour`.
        let schedule = resolve(derived_timing(hour.filter(|_| kind > 0), None), windows.clone());
        let from = moment("2023-12-20T00:00:00Z") + chrono::TimeDelta::days(days);
        let ticks: Vec<_> = schedule.ticks_after(from).take(40).collect();
        let mut handled = PartitionSet::empty();
        for tick in &ticks {
            let own = schedule.partitions_of_tick(*tick, &PartitionContext::at(*tick));
            prop_assert!((&handled & &own).is_empty(), "{own:?} at {tick}");
            prop_assert_eq!(schedule.is_idle_at(*tick), own.is_empty());
            handled |= &own;
        }
        let before = schedule.cron().ticks_until(ticks[0] - chrono::TimeDelta::seconds(1)).next().unwrap();
        let wanted = windows.count(before.at())..windows.count(ticks[39]);
        prop_assert_eq!(handled, PartitionSet::from(wanted));
    }
}

#[test]
fn before_the_first_window_has_closed_there_is_nothing() {
    let graph = report_graph(Some(daily_partitions("UTC")));
    let schedule = schedule_spec(cron_timing("0 6 * * *", Tz::UTC))
        .resolve(&graph)
        .unwrap();
    assert!(
        schedule
            .partitions_of_tick(
                moment("2024-01-01T06:00:00Z"),
                &PartitionContext::at(moment("2024-01-01T06:00:00Z"))
            )
            .is_empty()
    );
}

#[rstest]
#[case(CatchUp::All, &[2, 3, 4], 0)]
#[case(CatchUp::Latest, &[4], 2)]
#[case(CatchUp::Within(Duration::from_secs(30 * 3600)), &[3, 4], 1)]
#[case(CatchUp::Within(Duration::from_secs(60)), &[], 3)]
fn missed_ticks_are_caught_up_by_policy(
    #[case] policy: CatchUp,
    #[case] expected: &[u32],
    #[case] given_up: u64,
) {
    let schedule = schedule_spec(cron_timing("0 6 * * *", Tz::UTC))
        .resolve(&report_graph(None))
        .unwrap();
    let due = schedule.due_ticks(
        moment("2024-01-01T06:00:00Z"),
        moment("2024-01-04T06:30:00Z"),
        policy,
    );
    let days: Vec<u32> = due.ticks.iter().map(chrono::Datelike::day).collect();
    assert_eq!(
        (&days[..], due.given_up, due.more),
        (expected, given_up, false)
    );
    let twice = schedule.due_ticks(
        moment("2024-01-04T06:00:00Z"),
        moment("2024-01-04T06:30:00Z"),
        policy,
    );
    assert!(twice.ticks.is_empty());
}

#[test]
fn many_missed_ticks_come_in_several_calls() {
    let schedule = schedule_spec(cron_timing("* * * * *", Tz::UTC))
        .resolve(&report_graph(None))
        .unwrap();
    let until = moment("2024-01-03T00:00:00Z");
    let mut after = moment("2024-01-01T00:00:00Z");
    let mut seen = 0;
    loop {
        let due = schedule.due_ticks(after, until, CatchUp::All);
        seen += due.ticks.len();
        after = *due.ticks.last().unwrap();
        if !due.more {
            break;
        }
    }
    assert_eq!((seen, after), (2 * 1440, until));
}

#[test]
fn what_cannot_be_derived_is_refused() {
    let refused = |timing, partitions| {
        let error: InvalidTrigger = schedule_spec(timing)
            .resolve(&report_graph(partitions))
            .unwrap_err();
        error.to_string()
    };
    assert!(refused(derived_timing(None, None), None).contains("give it a `cron = \"..\"`"));
    let months = TimeWindowPartitions::hourly("2024-01-01-00:00")
        .build()
        .unwrap();
    assert_eq!(
        refused(derived_timing(Some(6), None), Some(months.into())),
        "it has `hour`, and the partitions of `report` are hourly: write `cron = \"0 6 * * *\"` \
         instead of `from_partitions`, whose ticks materialize every window that closed since the \
         tick before, or leave `hour` out"
    );
    let two_days = ScheduleTiming::Partitions {
        minute: None,
        hour: Some(6),
        weekday: Some(1),
        day: Some(15),
        timezone: None,
    };
    let shifts = TimeWindowPartitions::cron("0 */8 * * *", "2024-01-01-00:00", "%Y-%m-%d-%H:%M");
    assert_eq!(
        refused(two_days, Some(shifts.build().unwrap().into())),
        "it has `weekday` and `day`, and cron ticks on either: keep one of them, or write \
         `cron = \"0 6 15 * 1\"`"
    );
    let mut unknown = schedule_spec(cron_timing("@daily", Tz::UTC));
    unknown.target = Some("reprot".parse().unwrap());
    assert_eq!(
        unknown
            .resolve(&report_graph(None))
            .unwrap_err()
            .to_string(),
        "its target `reprot`: there is no asset `reprot`; did you mean `report`?"
    );
}
