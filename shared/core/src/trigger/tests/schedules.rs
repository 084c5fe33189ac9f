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
    trigger::{CatchUp, DefaultStatus, InvalidTrigger, ScheduleSpec, ScheduleTiming, Ticking},
};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn graph(partitions: Option<PartitionsDefinition>) -> AssetGraph {
    let asset = AssetSpec {
        partitions: partitions.map(Into::into),
        ..AssetSpec::new("report".parse().unwrap())
    };
    AssetGraph::new(vec![OpSpec::single(asset)], vec![]).unwrap()
}

fn spec(timing: ScheduleTiming) -> ScheduleSpec {
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

fn cron(cron: &str, timezone: Tz) -> ScheduleTiming {
    ScheduleTiming::Cron {
        cron: cron.parse().unwrap(),
        timezone,
    }
}

fn derived(hour: Option<u32>, timezone: Option<Tz>) -> ScheduleTiming {
    ScheduleTiming::Partitions {
        minute: None,
        hour,
        weekday: None,
        day: None,
        timezone,
    }
}

fn days(timezone: &str) -> PartitionsDefinition {
    let days = TimeWindowPartitions::daily("2024-01-01").timezone(timezone);
    days.build().unwrap().into()
}

/// Ticks and the partition of each.
fn preview(ticking: &Ticking, from: &str, count: usize) -> Vec<String> {
    let ticks = ticking.after(at(from)).take(count);
    ticks
        .map(|tick| {
            let context = PartitionContext::at(tick);
            let set = ticking.partitions(tick, &context);
            let keys: Vec<String> = match ticking.definition() {
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
    let graph = graph(Some(days("Europe/Berlin")));
    let ticking = spec(derived(Some(6), None)).ticking(&graph).unwrap();
    // The clock is put forward on 31 March.
    assert_eq!(
        preview(&ticking, "2024-03-30T00:00:00Z", 3),
        [
            "30T05:00 2024-03-29",
            "31T04:00 2024-03-30",
            "01T04:00 2024-03-31"
        ]
    );
}

#[test]
fn a_derived_schedule_ticks_when_windows_close_unless_told_otherwise() {
    let graph = graph(Some(days("America/New_York")));
    let ticking = spec(derived(None, None)).ticking(&graph).unwrap();
    assert_eq!(
        preview(&ticking, "2024-11-02T05:00:00Z", 3),
        [
            "03T04:00 2024-11-02",
            "04T05:00 2024-11-03",
            "05T05:00 2024-11-04"
        ]
    );
    let ticking = spec(derived(Some(6), Some(Tz::Europe__Berlin)))
        .ticking(&graph)
        .unwrap();
    assert_eq!(
        preview(&ticking, "2024-11-02T06:00:00Z", 1),
        ["03T05:00 2024-11-02"]
    );
}

#[test]
fn of_several_dimensions_a_tick_is_about_all_keys_of_the_others() {
    let regions = StaticPartitions::new(["n", "s"]).unwrap();
    let both = MultiPartitions::new([("day", days("UTC")), ("region", regions.into())]).unwrap();
    let graph = graph(Some(both.into()));
    let ticking = spec(derived(Some(1), None)).ticking(&graph).unwrap();
    assert_eq!(
        preview(&ticking, "2024-02-01T00:00:00Z", 1),
        ["01T01:00 2024-01-31|n,2024-01-31|s"]
    );
}

#[test]
fn before_the_first_window_has_closed_there_is_nothing() {
    let graph = graph(Some(days("UTC")));
    let ticking = spec(cron("0 6 * * *", Tz::UTC)).ticking(&graph).unwrap();
    assert!(
        ticking
            .partitions(
                at("2024-01-01T06:00:00Z"),
                &PartitionContext::at(at("2024-01-01T06:00:00Z"))
            )
            .is_empty()
    );
}

#[rstest]
#[case(CatchUp::All, &[2, 3, 4], 0)]
#[case(CatchUp::Latest, &[4], 2)]
#[case(CatchUp::Within(Duration::from_secs(30 * 3600)), &[3, 4], 1)]
#[case(CatchUp::Within(Duration::from_secs(60)), &[], 3)]
fn missed_ticks_are_made_up_for_by_policy(
    #[case] policy: CatchUp,
    #[case] expected: &[u32],
    #[case] given_up: u64,
) {
    let ticking = spec(cron("0 6 * * *", Tz::UTC))
        .ticking(&graph(None))
        .unwrap();
    let due = ticking.due(
        at("2024-01-01T06:00:00Z"),
        at("2024-01-04T06:30:00Z"),
        policy,
    );
    let days: Vec<u32> = due.ticks.iter().map(chrono::Datelike::day).collect();
    assert_eq!(
        (&days[..], due.given_up, due.more),
        (expected, given_up, false)
    );
    let twice = ticking.due(
        at("2024-01-04T06:00:00Z"),
        at("2024-01-04T06:30:00Z"),
        policy,
    );
    assert!(twice.ticks.is_empty());
}

#[test]
fn many_missed_ticks_come_in_portions() {
    let ticking = spec(cron("* * * * *", Tz::UTC))
        .ticking(&graph(None))
        .unwrap();
    let until = at("2024-01-03T00:00:00Z");
    let mut after = at("2024-01-01T00:00:00Z");
    let mut seen = 0;
    loop {
        let due = ticking.due(after, until, CatchUp::All);
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
        let error: InvalidTrigger = spec(timing).ticking(&graph(partitions)).unwrap_err();
        error.to_string()
    };
    assert!(refused(derived(None, None), None).contains("give it a `cron = \"..\"`"));
    let months = TimeWindowPartitions::hourly("2024-01-01-00:00")
        .build()
        .unwrap();
    assert_eq!(
        refused(derived(Some(6), None), Some(months.into())),
        "it has `hour`, and the partitions of `report` are hourly: leave it out"
    );
    let mut unknown = spec(cron("@daily", Tz::UTC));
    unknown.target = Some("reprot".parse().unwrap());
    assert_eq!(
        unknown.ticking(&graph(None)).unwrap_err().to_string(),
        "its target `reprot`: there is no asset `reprot`; did you mean `report`?"
    );
}
