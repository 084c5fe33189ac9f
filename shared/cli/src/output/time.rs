//! Times and durations in few characters.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

/// Formats a time to the second, in UTC: `2013-01-31T06:00:00Z`.
pub(crate) fn format_time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Formats the time passed since `at`: `3 min ago`, `2 days ago`, `just now`.
pub(crate) fn format_ago(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let passed = now - at;
    let (count, unit) = match passed.num_seconds() {
        ..5 => return "just now".to_owned(),
        seconds @ 5..60 => (seconds, "s"),
        seconds @ 60..3_600 => (seconds / 60, "min"),
        seconds @ 3_600..86_400 => (seconds / 3_600, "h"),
        seconds @ 86_400..172_800 => (seconds / 86_400, "day"),
        seconds => (seconds / 86_400, "days"),
    };
    format!("{count} {unit} ago")
}

/// Formats a duration: `340 ms`, `1.2 s`, `3 min 20 s`, `2 h 5 min`.
pub(crate) fn format_duration(took: TimeDelta) -> String {
    let milliseconds = took.num_milliseconds().max(0);
    let seconds = milliseconds / 1_000;
    match seconds {
        0 => format!("{milliseconds} ms"),
        1..60 => format!("{seconds}.{} s", milliseconds % 1_000 / 100),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_keep_two_units() {
        let shown = [0, 340, 1_290, 59_999, 200_000, 7_500_000]
            .map(TimeDelta::milliseconds)
            .map(format_duration);
        assert_eq!(
            shown,
            [
                "0 ms",
                "340 ms",
                "1.2 s",
                "59.9 s",
                "3 min 20 s",
                "2 h 5 min"
            ]
        );
    }

    #[test]
    fn passed_time_has_one_unit() {
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(30);
        let shown = [1, 59, 60, 7_199, 86_400, 200_000]
            .map(|s| format_ago(now - TimeDelta::seconds(s), now));
        assert_eq!(
            shown,
            [
                "just now",
                "59 s ago",
                "1 min ago",
                "1 h ago",
                "1 day ago",
                "2 days ago"
            ]
        );
    }
}
