//! Cron strings.

use chrono::DateTime;
use precip_core::cron::CronSchedule;

/// Checks that a cron string is refused with a message and a span of the text, or ticks: forwards in rising
/// and backwards in falling order, and every tick is recognized.
pub fn cron(text: &str) {
    let schedule = match CronSchedule::new(text, chrono_tz::America::New_York) {
        Ok(schedule) => schedule,
        Err(refusal) => {
            assert!(!refusal.to_string().is_empty());
            if let Some(span) = refusal.span() {
                assert!(text.get(span).is_some(), "the span is not in the text");
            }
            return;
        }
    };
    // A day before the clock goes forward.
    let now = DateTime::from_timestamp(1_709_985_600, 0).unwrap_or_default();
    let ahead: Vec<_> = schedule
        .ticks_from(now)
        .take(3)
        .map(|tick| tick.at())
        .collect();
    assert!(
        ahead.is_sorted() && ahead.iter().all(|tick| *tick >= now),
        "{ahead:?}"
    );
    assert!(
        ahead.iter().all(|tick| schedule.ticks_at(*tick)),
        "{ahead:?}"
    );
    let behind: Vec<_> = schedule
        .ticks_until(now)
        .take(3)
        .map(|tick| tick.at())
        .collect();
    assert!(behind.is_sorted_by(|a, b| a >= b), "{behind:?}");
    assert!(behind.iter().all(|tick| *tick <= now), "{behind:?}");
}
