use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use rstest::rstest;

use super::{Cadence, TimeWindowPartitions};
use crate::partitions::PartitionSet;

fn parse_moment(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn format_keys(definition: &TimeWindowPartitions, count: u64) -> Vec<String> {
    definition
        .keys(0..count)
        .map(|key| key.to_string())
        .collect()
}

#[test]
fn names_the_second_pass_of_an_hour_by_its_offset() {
    let hours = TimeWindowPartitions::hourly("2024-11-03-00:00")
        .timezone("America/New_York")
        .build()
        .unwrap();
    assert_eq!(
        format_keys(&hours, 4),
        [
            "2024-11-03-00:00",
            "2024-11-03-01:00",
            "2024-11-03-01:00-0500",
            "2024-11-03-02:00"
        ]
    );
    assert_eq!(hours.ordinal("2024-11-03-01:00-0500"), Some(2));
}

#[test]
fn a_skipped_date_has_the_window_of_the_next() {
    let days = TimeWindowPartitions::daily("2011-12-29")
        .timezone("Pacific/Apia")
        .build()
        .unwrap();
    assert_eq!(
        format_keys(&days, 3),
        ["2011-12-29", "2011-12-30", "2011-12-31"]
    );
    assert_eq!(days.window(1), days.window(2));
    assert_eq!(
        (days.ordinal("2011-12-30"), days.ordinal("2011-12-31")),
        (Some(1), Some(2))
    );
}

#[rstest]
#[case("2024-01-32")]
#[case("2024-1-1")]
#[case("2024-01-01 ")]
#[case("2023-12-31")]
#[case("nonsense")]
#[case("")]
fn other_strings_are_not_keys(#[case] key: &str) {
    let days = TimeWindowPartitions::daily("2024-01-01").build().unwrap();
    assert_eq!(days.ordinal(key), None);
}

#[test]
fn excluded_windows_have_no_ordinals() {
    let weekdays = TimeWindowPartitions::daily("2024-01-05")
        .exclude("0 0 * * 6,0")
        .build()
        .unwrap();
    assert_eq!(
        format_keys(&weekdays, 3),
        ["2024-01-05", "2024-01-08", "2024-01-09"]
    );
    assert_eq!(weekdays.ordinal("2024-01-06"), None);
    let weekend = parse_moment("2024-01-06T06:00:00Z")..parse_moment("2024-01-07T12:00:00Z");
    assert!(weekdays.overlapping_ordinals(weekend).is_empty());
}

/// The keys of all windows that exist at a moment.
fn existing_keys(builder: super::TimeWindowBuilder, now: &str) -> Vec<String> {
    let definition = builder.build().unwrap();
    let now = parse_moment(now);
    let count = definition.count(now);
    let bounds = definition
        .first_window(now)
        .zip(definition.last_window(now));
    assert_eq!(bounds.is_some(), count > 0);
    if let Some((first, last)) = bounds {
        assert_eq!(definition.ordinal_at(first.start), Some(0));
        assert_eq!(definition.ordinal_at(last.start), Some(count - 1));
    }
    format_keys(&definition, count)
}

#[rstest]
// Friday 12 January 2024, then the weekend, then Monday.
#[case("2024-01-12T00:00:00Z", &["2024-01-11", "2024-01-12"])]
#[case("2024-01-13T00:00:00Z", &["2024-01-11", "2024-01-12"])]
#[case("2024-01-13T12:00:00Z", &["2024-01-11", "2024-01-12"])]
#[case("2024-01-14T23:59:59Z", &["2024-01-11", "2024-01-12"])]
#[case("2024-01-15T00:00:00Z", &["2024-01-11", "2024-01-12", "2024-01-15"])]
fn an_open_window_exists_once_it_has_begun(#[case] now: &str, #[case] wanted: &[&str]) {
    let days = TimeWindowPartitions::daily("2024-01-11")
        .end_offset(1)
        .exclude("0 0 * * 6,0");
    assert_eq!(existing_keys(days, now), wanted);
}

#[test]
fn no_window_exists_before_the_start() {
    let open = |start| TimeWindowPartitions::monthly(start).end_offset(1);
    assert!(existing_keys(open("2024-05-01"), "2024-04-30T23:59:59Z").is_empty());
    assert_eq!(
        existing_keys(open("2024-05-01"), "2024-05-01T00:00:00Z"),
        ["2024-05-01"]
    );
}

#[test]
fn an_excluded_window_takes_the_place_of_none_that_is_to_come() {
    // By exclusions of a cron schedule and of a moment, for hours and weeks, in a zone.
    let shifts = || {
        TimeWindowPartitions::hourly("2024-03-01-08:00")
            .timezone("Europe/Berlin")
            .end_offset(1)
            .exclude("0 0-7,10-23 * * *")
    };
    let eight_and_nine = ["2024-03-01-08:00", "2024-03-01-09:00"];
    assert_eq!(
        existing_keys(shifts(), "2024-03-01T08:59:59Z"),
        eight_and_nine
    );
    assert_eq!(
        existing_keys(shifts(), "2024-03-02T06:59:59Z"),
        eight_and_nine
    );
    assert_eq!(existing_keys(shifts(), "2024-03-02T07:00:00Z").len(), 3);
    let weeks = || {
        TimeWindowPartitions::weekly("2024-01-07")
            .end_offset(1)
            .exclude_at("2024-01-14")
    };
    assert_eq!(
        existing_keys(weeks(), "2024-01-17T00:00:00Z"),
        ["2024-01-07"]
    );
    assert_eq!(
        existing_keys(weeks(), "2024-01-21T00:00:00Z"),
        ["2024-01-07", "2024-01-21"]
    );
    // Two ahead: one more than the window that has begun, as asked.
    let ahead = || {
        TimeWindowPartitions::daily("2024-01-11")
            .end_offset(2)
            .exclude("0 0 * * 6,0")
    };
    assert_eq!(
        existing_keys(ahead(), "2024-01-12T12:00:00Z"),
        ["2024-01-11", "2024-01-12"]
    );
    assert_eq!(existing_keys(ahead(), "2024-01-14T12:00:00Z").len(), 3);
}

#[test]
fn no_window_ends_after_the_end() {
    let weeks = |end, offset| {
        TimeWindowPartitions::weekly("2024-01-01")
            .end(end)
            .end_offset(offset)
    };
    for offset in -1..=2 {
        // The first week begins on 7 January and ends on the 14th.
        let cut = existing_keys(weeks("2024-01-10", offset), "2024-03-01T00:00:00Z");
        assert!(cut.is_empty(), "{offset}: {cut:?}");
        let whole = existing_keys(weeks("2024-01-14", offset), "2024-03-01T00:00:00Z");
        assert_eq!(whole, ["2024-01-07"], "{offset}");
    }
}

#[test]
fn hours_moved_off_their_minute_follow_their_keys() {
    // The clock is put forward by half an hour at 2:00; Dagster reads later keys from the full hour.
    let hours = TimeWindowPartitions::hourly("2024-10-06-00:00")
        .timezone("Australia/Lord_Howe")
        .build()
        .unwrap();
    let window = |key| hours.window(hours.ordinal(key).unwrap()).unwrap();
    assert_eq!(
        format_keys(&hours, 4)[1..],
        ["2024-10-06-01:00", "2024-10-06-02:30", "2024-10-06-03:30"]
    );
    for (key, start, end) in [
        (
            "2024-10-06-01:00",
            "2024-10-05T14:30:00Z",
            "2024-10-05T15:30:00Z",
        ),
        (
            "2024-10-06-02:30",
            "2024-10-05T16:00:00Z",
            "2024-10-05T17:00:00Z",
        ),
        (
            "2024-10-06-03:30",
            "2024-10-05T17:00:00Z",
            "2024-10-05T18:00:00Z",
        ),
    ] {
        let found = window(key);
        assert_eq!(
            (found.start, found.end),
            (parse_moment(start), parse_moment(end)),
            "{key}"
        );
        let ordinal = hours.ordinal(key).unwrap();
        assert!(hours.windows(ordinal..ordinal + 1).eq([found]), "{key}");
    }
}

#[test]
fn overlapping_includes_partial_windows_at_both_ends() {
    let days = TimeWindowPartitions::daily("2024-01-01").build().unwrap();
    // Partial windows count, windows that only touch an end do not, nor does an empty span.
    let span = |from, to| days.overlapping_ordinals(parse_moment(from)..parse_moment(to));
    assert_eq!(
        span("2024-01-02T12:00:00Z", "2024-01-04T00:00:01Z"),
        PartitionSet::from(1..4)
    );
    assert_eq!(
        span("2024-01-02T00:00:00Z", "2024-01-04T00:00:00Z"),
        PartitionSet::from(1..3)
    );
    assert_eq!(
        span("2023-01-02T00:00:00Z", "2024-01-01T00:00:01Z"),
        PartitionSet::from(0..1)
    );
    assert!(span("2024-01-02T00:00:00Z", "2024-01-02T00:00:00Z").is_empty());
}

#[test]
fn walks_windows_before_its_start() {
    let days = TimeWindowPartitions::daily("2024-01-03").build().unwrap();
    let before = days.windows_until(days.start()).next().unwrap();
    assert_eq!(days.key_at(before.start).as_str(), "2024-01-02");
    assert_eq!(days.ordinal_at(before.start), None);
    let first = days.windows_from(before.end).next().unwrap();
    assert_eq!(days.ordinal_at(first.start), Some(0));
}

#[rstest]
#[case(
    TimeWindowPartitions::daily("01/02/2024"),
    "start `01/02/2024` does not match the format `%Y-%m-%d`: write it like `2024-01-31`"
)]
#[case(TimeWindowPartitions::daily("2024-01-01").hour_offset(24), "hour `24` is out of range")]
#[case(TimeWindowPartitions::hourly("2024-01-01-00:00").hour_offset(2), "hourly windows have no hour_offset")]
#[case(TimeWindowPartitions::daily("2024-01-01").timezone("Mars"), "`Mars` is not a time zone")]
#[case(TimeWindowPartitions::daily("2024").fmt("%Y-%q"), "`%q` is not a directive")]
#[case(TimeWindowPartitions::weekly("2024-01").fmt("%G-%V"), "write `%G-W%V-%u`")]
#[case(TimeWindowPartitions::daily("2024-01-01").exclude("x"), "exclusion: `x` is not a cron schedule")]
fn refusals_come_with_advice(#[case] builder: super::TimeWindowBuilder, #[case] wanted: &str) {
    let fault = builder.build().unwrap_err().to_string();
    assert!(fault.contains(wanted), "{fault}");
}

#[test]
fn refuses_a_format_that_is_too_coarse() {
    let hours = TimeWindowPartitions::hourly("2024-01-01")
        .fmt("%Y-%m-%d")
        .build()
        .unwrap();
    let fault = hours.check_keys().unwrap_err().to_string();
    assert!(fault.contains("have the same key, `2024-01-01`"), "{fault}");
    assert_eq!(
        TimeWindowPartitions::daily("2024-01-01")
            .build()
            .unwrap()
            .check_keys(),
        Ok(())
    );
}

#[test]
fn serializes_its_declared_fields() {
    let weeks = TimeWindowPartitions::weekly("2024-01-01")
        .end("2024-06-01")
        .timezone("Asia/Kolkata")
        .day_offset(1)
        .exclude("0 0 1 * *")
        .build()
        .unwrap();
    let stored = serde_json::to_string(&weeks).unwrap();
    assert_eq!(
        stored,
        r#"{"cron":"0 0 * * 1","timezone":"Asia/Kolkata","start":"2023-12-31T18:30:00Z","end":"2024-05-31T18:30:00Z","fmt":"%Y-%m-%d","exclusions":[{"cron":"0 0 1 * *"}]}"#
    );
    let read: TimeWindowPartitions = serde_json::from_str(&stored).unwrap();
    assert_eq!(read, weeks);
    assert_eq!(read.cadence(), Cadence::Weekly);
}

#[test]
fn computes_far_ahead_and_stops_at_the_end_of_the_calendar() {
    let hours = TimeWindowPartitions::hourly("2000-01-01-00:00")
        .build()
        .unwrap();
    assert_eq!(hours.key(10_000_000).unwrap().as_str(), "3140-10-17-16:00");
    assert_eq!(hours.ordinal("3140-10-17-16:00"), Some(10_000_000));
    assert_eq!(hours.key(u64::MAX), None);
    let days = TimeWindowPartitions::daily("9999-12-30").build().unwrap();
    assert_eq!(days.key(5), None);
}

fn any_definition() -> impl Strategy<Value = TimeWindowPartitions> {
    let zones = [
        "UTC",
        "America/New_York",
        "Europe/London",
        "Asia/Kolkata",
        "Africa/Cairo",
        "America/Sao_Paulo",
        "Australia/Lord_Howe",
        "America/St_Johns",
    ];
    let crons = [
        "*/15 * * * *",
        "0 */6 * * *",
        "15 1-4 * * *",
        "0 0 * * 1-5",
        "7,33 * * * *",
        "0 0 1,15 * 1",
        "* 1 * * *",
        "0 9 L * *",
    ];
    let zone = proptest::sample::select(zones.to_vec());
    let cron = proptest::sample::select(crons.to_vec());
    // Each cadence, in each zone, with and without an exclusion.
    (0..5usize, zone, cron, 0i64..8000, any::<bool>()).prop_map(
        |(kind, zone, cron, days, exclude)| {
            let start = parse_moment("2004-01-01T00:00:00Z").naive_utc() + TimeDelta::days(days);
            let builder = match kind {
                0 => TimeWindowPartitions::hourly(start),
                1 => TimeWindowPartitions::daily(start).hour_offset(2),
                2 => TimeWindowPartitions::weekly(start).day_offset(4),
                3 => TimeWindowPartitions::monthly(start).day_offset(28),
                _ => TimeWindowPartitions::cron(cron, start, "%Y-%m-%d-%H:%M"),
            };
            let in_zone = builder.timezone(zone);
            if exclude {
                in_zone.exclude("0 0 * * 3").build().unwrap()
            } else {
                in_zone.build().unwrap()
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn ordinals_keys_and_windows_agree(definition in any_definition(), from in 0u64..250) {
        for (key, ordinal) in definition.keys(from..from + 20).zip(from..) {
            prop_assert_eq!(definition.ordinal(key.as_str()), Some(ordinal));
            prop_assert_eq!(definition.key(ordinal), Some(key));
            let window = definition.window(ordinal).unwrap();
            prop_assert!(window.start < window.end);
            prop_assert!(definition.windows(ordinal..ordinal + 1).eq([window]));
        }
    }

    #[test]
    fn ordinals_do_not_change_as_time_passes(definition in any_definition(), days in 0i64..400) {
        let early = definition.start() + TimeDelta::days(days);
        let late = early + TimeDelta::days(30);
        let (before, after) = (definition.count(early), definition.count(late));
        prop_assert!(before <= after);
        // Deserialized, so that no index is shared.
        let fresh: TimeWindowPartitions =
            serde_json::from_str(&serde_json::to_string(&definition).unwrap()).unwrap();
        prop_assert!(fresh.keys(0..before).eq(definition.keys(0..after).take(before as usize)));
    }

    #[test]
    fn with_an_offset_of_one_existing_windows_have_begun(
        definition in any_definition(),
        minutes in -3_000i64..60_000,
    ) {
        let stored = serde_json::to_value(&definition).unwrap();
        let with_offset = |offset: i32| -> TimeWindowPartitions {
            let mut changed = stored.clone();
            changed["end_offset"] = offset.into();
            serde_json::from_value(changed).unwrap()
        };
        let now = definition.start() + TimeDelta::minutes(minutes);
        let (ended, open) = (definition.count(now), with_offset(1).count(now));
        prop_assert!(ended <= open && open <= ended + 1);
        if let Some(last) = with_offset(1).last_window(now) {
            prop_assert!(last.start <= now, "{last:?}");
        }
        // The first window that does not exist has not begun.
        if let Some(next) = definition.windows_from(definition.start()).nth(open as usize) {
            prop_assert!(next.start > now, "{next:?}");
        }
        for offset in [-2, 2, 3] {
            let shifted = with_offset(offset).count(now);
            let in_order = if offset < 0 { shifted <= ended } else { shifted >= open };
            prop_assert!(in_order, "{offset}");
        }
    }

    #[test]
    fn the_start_of_a_window_overlaps_one_window(definition in any_definition(), ordinal in 0u64..250) {
        let window = definition.window(ordinal).unwrap();
        let found = definition.overlapping_ordinals(window.start..window.start + TimeDelta::seconds(1));
        prop_assert_eq!(found.len(), 1);
    }
}
