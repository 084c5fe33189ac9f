use std::time::Duration;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use rstest::rstest;

use crate::{
    graph::AssetGraph,
    partitions::{
        MultiPartitions, PartitionContext, PartitionsDefinition, StaticPartitions,
        TimeWindowPartitions,
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
        "it has `hour`, and the partitions of `report` are hourly: leave it out"
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
