use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use proptest::prelude::*;
use rstest::rstest;

use super::{CronExpression, CronSchedule, parse_time_zone};

fn parse_moment(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn format_ticks(cron: &str, tz: Tz, from: &str, count: usize) -> Vec<String> {
    let schedule = CronSchedule::new(cron, tz).unwrap();
    let ticks = schedule.ticks_from(parse_moment(from)).take(count);
    ticks
        .map(|tick| tick.at().format("%m-%dT%H:%M").to_string())
        .collect()
}

#[rstest]
// Wraps around at the end of the field.
#[case("0 22-2 * * *", "2024-01-01T00:00:00Z", &["01-01T00:00", "01-01T01:00", "01-01T02:00", "01-01T22:00"])]
// 7 is Sunday, so the range ends there.
#[case("0 0 * * 5-7", "2024-01-01T00:00:00Z", &["01-05T00:00", "01-06T00:00", "01-07T00:00", "01-12T00:00"])]
// Day of month or day of week: either is enough.
#[case("0 0 1,15 * mon", "2024-01-02T00:00:00Z", &["01-08T00:00", "01-15T00:00", "01-22T00:00", "01-29T00:00"])]
#[case("0 0 l * *", "2024-02-01T00:00:00Z", &["02-29T00:00", "03-31T00:00", "04-30T00:00", "05-31T00:00"])]
#[case("0 0 * * 5#2", "2024-01-01T00:00:00Z", &["01-12T00:00", "02-09T00:00", "03-08T00:00", "04-12T00:00"])]
#[case("0 0 * * L5", "2024-01-01T00:00:00Z", &["01-26T00:00", "02-23T00:00", "03-29T00:00", "04-26T00:00"])]
#[case("0 0 29 2 *", "2024-02-28T12:00:00Z", &["02-29T00:00", "02-29T00:00"])]
fn ticks_like_croniter(#[case] cron: &str, #[case] from: &str, #[case] wanted: &[&str]) {
    assert_eq!(format_ticks(cron, Tz::UTC, from, wanted.len()), wanted);
}

#[test]
fn a_skipped_tick_comes_at_the_end_of_the_gap() {
    let new_york = Tz::America__New_York;
    assert_eq!(
        format_ticks("30 2 * * *", new_york, "2024-03-10T00:00:00Z", 2),
        ["03-10T07:00", "03-11T06:30"]
    );
}

#[test]
fn ticks_once_at_a_fixed_hour_and_in_both_passes_every_hour() {
    let new_york = Tz::America__New_York;
    assert_eq!(
        format_ticks("30 1 * * *", new_york, "2024-11-03T00:00:00Z", 2),
        ["11-03T06:30", "11-04T06:30"]
    );
    assert_eq!(
        format_ticks("30 * * * *", new_york, "2024-11-03T05:00:00Z", 3),
        ["11-03T05:30", "11-03T06:30", "11-03T07:30"]
    );
}

#[rstest]
#[case("0 0 * * 8", 8..9, "day of week `8` is out of range")]
#[case("0 0 32 * *", 4..6, "day of month `32` is out of range")]
#[case("0,61 0 * * *", 2..4, "minute `61` is out of range")]
#[case("0 0 * foo *", 6..9, "month `foo` cannot be read")]
#[case("*/0 0 * * *", 0..3, "minute `*/0` has a step that is not 1 or more")]
#[case("0 0 * * 5#6", 8..11, "day of week `5#6` counts past the fifth")]
fn errors_point_at_the_invalid_part(
    #[case] cron: &str,
    #[case] span: std::ops::Range<usize>,
    #[case] wanted: &str,
) {
    let fault = CronExpression::new(cron).unwrap_err();
    assert_eq!(fault.span(), Some(span));
    assert!(fault.to_string().contains(wanted), "{fault}");
}

#[rstest]
#[case("", "it has 0 fields; write five")]
#[case("* * * * * *", "it has 6 fields; write five")]
#[case("0 0 30 2 *", "never ticks")]
#[case("0 0 30 2 3", "February has no day 30")]
#[case("0 0 31 feb 1-5", "February has no day 31")]
#[case("0 0 30,30 2 3#1", "February has no day 30")]
#[case("0 0 31 4,6 *", "never ticks")]
#[case("0 0 * * 1,5#2", "mixes plain days")]
fn refuses_invalid_schedules(#[case] cron: &str, #[case] wanted: &str) {
    let fault = CronExpression::new(cron).unwrap_err().to_string();
    assert!(fault.contains(wanted), "{fault}");
}

#[test]
fn suggests_a_similar_time_zone() {
    assert_eq!(
        parse_time_zone("Europe/Londn").unwrap_err().to_string(),
        "`Europe/Londn` is not a time zone: write a name of the IANA database, like \
         `Europe/London`"
    );
}

#[test]
fn serializes_as_written() {
    let schedule = CronSchedule::new("@daily", Tz::Europe__London).unwrap();
    let stored = serde_json::to_string(&schedule).unwrap();
    assert_eq!(stored, r#"{"cron":["@daily"],"timezone":"Europe/London"}"#);
    assert_eq!(
        serde_json::from_str::<CronSchedule>(&stored).unwrap(),
        schedule
    );
    assert!(serde_json::from_str::<CronSchedule>(r#"{"cron":[],"timezone":"UTC"}"#).is_err());
}

fn any_schedule() -> impl Strategy<Value = CronSchedule> {
    // Every kind of recurrence, in zones with unusual changes of the clock.
    let crons = [
        "30 2 * * *",
        "15 1 * * *",
        "0 * * * *",
        "*/15 * * * *",
        "7,33 * * * *",
        "0 0 * * 1",
        "0 0 28 * *",
        "*/20 1-2 * * *",
        "0 */6 * * *",
        "* * * * 6",
        "0 0 L * *",
        "0 3 * 3,10,11 0",
    ];
    let zones = [
        Tz::UTC,
        Tz::America__New_York,
        Tz::Europe__London,
        Tz::Asia__Kolkata,
        Tz::America__Sao_Paulo,
        Tz::Africa__Cairo,
        Tz::America__St_Johns,
        Tz::Pacific__Chatham,
    ];
    (
        proptest::sample::select(crons.to_vec()),
        proptest::sample::select(zones.to_vec()),
    )
        .prop_map(|(cron, zone)| CronSchedule::new(cron, zone).unwrap())
}

proptest! {
    #[test]
    fn ticks_ascend_and_are_the_same_backward(
        schedule in any_schedule(),
        seconds in 1_200_000_000i64..2_000_000_000,
    ) {
        let from = DateTime::from_timestamp(seconds, 0).unwrap();
        let ticks: Vec<_> = schedule.ticks_from(from).take(60).map(|tick| tick.at()).collect();
        prop_assert!(ticks.iter().all(|tick| *tick >= from));
        prop_assert!(ticks.windows(2).all(|pair| pair[0] < pair[1]));
        let mut back: Vec<_> =
            schedule.ticks_until(ticks[59]).take(60).map(|tick| tick.at()).collect();
        back.reverse();
        prop_assert_eq!(&ticks, &back);
        prop_assert!(schedule.ticks_at(ticks[30]));
    }
}
