use std::time::Duration;

use chrono::{DateTime, Utc};
use rstest::rstest;

use super::{FreshnessPolicy, FreshnessState};

fn parse_moment(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[rstest]
#[case(
    seconds(59),
    None,
    "fail_window is 59 s: it cannot be less than a minute, write 60 s or more"
)]
#[case(
    seconds(120),
    Some(seconds(30)),
    "warn_window is 30 s: it cannot be less than a minute"
)]
#[case(
    seconds(120),
    Some(seconds(120)),
    "warn_window (120 s) is not less than fail_window (120 s)"
)]
fn refuses_windows(#[case] fail: Duration, #[case] warn: Option<Duration>, #[case] wanted: &str) {
    let fault = FreshnessPolicy::time_window(fail, warn)
        .unwrap_err()
        .to_string();
    assert!(fault.contains(wanted), "{fault}");
}

#[rstest]
#[case(
    "* * * * * *",
    60,
    "UTC",
    "deadline_cron: `* * * * * *` is not a cron schedule"
)]
#[case("0 9 * * *", 59, "UTC", "lower_bound_delta is 59 s")]
#[case(
    "*/30 * * * *",
    1801,
    "UTC",
    "longer than the shortest time between two deadlines of `*/30 * * * *` (1800 s)"
)]
#[case("0 9 * * *", 60, "Mars/Olympus", "`Mars/Olympus` is not a time zone")]
fn refuses_deadlines(
    #[case] cron: &str,
    #[case] delta: u64,
    #[case] timezone: &str,
    #[case] wanted: &str,
) {
    let fault = FreshnessPolicy::cron(cron, seconds(delta), timezone)
        .unwrap_err()
        .to_string();
    assert!(fault.contains(wanted), "{fault}");
}

#[test]
fn the_last_passed_deadline_decides() {
    let policy = FreshnessPolicy::cron("0 10 * * *", seconds(3600), "UTC").unwrap();
    // In turn: in time; before the next deadline, when the last one counts; too late; late but
    // since.
    let state_at = |last, now| policy.state(Some(parse_moment(last)), parse_moment(now));
    assert_eq!(
        state_at("2024-06-10T09:00:00Z", "2024-06-10T10:00:00Z"),
        FreshnessState::Pass
    );
    assert_eq!(
        state_at("2024-06-10T08:59:59Z", "2024-06-10T09:59:59Z"),
        FreshnessState::Pass
    );
    assert_eq!(
        state_at("2024-06-10T08:59:59Z", "2024-06-10T10:00:00Z"),
        FreshnessState::Fail
    );
    assert_eq!(
        state_at("2024-06-10T10:30:00Z", "2024-06-10T10:31:00Z"),
        FreshnessState::Pass
    );
    assert_eq!(
        policy.state(None, parse_moment("2024-06-10T10:00:00Z")),
        FreshnessState::Unknown
    );
}

#[test]
fn next_change_is_the_next_missed_deadline() {
    let policy = FreshnessPolicy::cron("0 10 * * *", seconds(3600), "UTC").unwrap();
    let change = |last, now| policy.next_change(Some(parse_moment(last)), parse_moment(now));
    let next_day = Some(parse_moment("2024-06-11T10:00:00Z"));
    assert_eq!(
        change("2024-06-10T09:30:00Z", "2024-06-10T09:45:00Z"),
        next_day
    );
    assert_eq!(change("2024-06-10T08:00:00Z", "2024-06-10T11:00:00Z"), None);
    assert_eq!(
        policy.next_change(None, parse_moment("2024-06-10T11:00:00Z")),
        None
    );
}

#[test]
fn round_trips_and_is_validated_on_deserialization() {
    let policy = FreshnessPolicy::cron("0 10 * * *", seconds(3600), "Europe/London").unwrap();
    let stored = serde_json::to_string(&policy).unwrap();
    assert_eq!(
        serde_json::from_str::<FreshnessPolicy>(&stored).unwrap(),
        policy
    );
    let short = r#"{"type":"time_window","fail_window":{"secs":1,"nanos":0}}"#;
    let fault = serde_json::from_str::<FreshnessPolicy>(short)
        .unwrap_err()
        .to_string();
    assert!(fault.contains("fail_window is 1 s"), "{fault}");
}
