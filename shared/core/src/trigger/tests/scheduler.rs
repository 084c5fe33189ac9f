use chrono_tz::Tz;
use rstest::rstest;

use crate::{
    cron::{CronExpression, CronSchedule},
    trigger::scheduler_expressions,
};

fn translate(cron: &str, timezone: Tz) -> (Vec<String>, Vec<String>) {
    let translated = scheduler_expressions(&CronSchedule::new(cron, timezone).unwrap()).unwrap();
    (
        translated
            .expressions
            .iter()
            .map(ToString::to_string)
            .collect(),
        translated
            .guards
            .iter()
            .map(|guard| guard.0.to_string())
            .collect(),
    )
}

#[rstest]
#[case("0 6 * * *", &["cron(0 6 * * ? *)"])]
#[case("@weekly", &["cron(0 0 ? * SUN *)"])]
#[case("*/15 8-18/2 * * 1-5", &["cron(0,15,30,45 8,10,12,14,16,18 ? * MON-FRI *)"])]
#[case("0 6 1,15 * *", &["cron(0 6 1,15 * ? *)"])]
#[case("0 6 L * *", &["cron(0 6 L * ? *)"])]
#[case("0 6 1,L 1-3 *", &["cron(0 6 1 1-3 ? *)", "cron(0 6 L 1-3 ? *)"])]
#[case("0 6 * * 5#2", &["cron(0 6 ? * 6#2 *)"])]
#[case("0 6 * * L5", &["cron(0 6 ? * 6L *)"])]
#[case("0 6 * * 1#1,1#3", &["cron(0 6 ? * 2#1 *)", "cron(0 6 ? * 2#3 *)"])]
#[case("0 6 13 * 5", &["cron(0 6 13 * ? *)", "cron(0 6 ? * FRI *)"])]
#[case("0 6 * * 6,7", &["cron(0 6 ? * SUN,SAT *)"])]
#[case("0 22-2 * dec *", &["cron(0 0-2,22,23 * 12 ? *)"])]
fn expressions_are_translated_for_event_bridge(#[case] cron: &str, #[case] expected: &[&str]) {
    let expected: Vec<String> = expected.iter().map(|e| format!("{e} in UTC")).collect();
    assert_eq!(translate(cron, Tz::UTC), (expected, vec![]));
}

#[test]
fn hourly_schedules_are_in_utc_and_need_no_guard() {
    let (expressions, guards) = translate("*/20 * * * *", Tz::America__New_York);
    assert_eq!(expressions, ["cron(0,20,40 * * * ? *) in UTC"]);
    assert!(guards.is_empty());
    let (expressions, _) = translate("0 * * * *", Tz::Asia__Kolkata);
    assert_eq!(expressions, ["cron(0 * * * ? *) in Asia/Kolkata"]);
}

#[rstest]
// Forward from 2 to 3 in March, back from 2 to 1 in November.
#[case("30 2 * * *", Tz::America__New_York, &["cron(0 3 * 3 ? *)"])]
#[case("30 1 * * *", Tz::America__New_York, &["cron(0 2 * 11 ? *)"])]
#[case("30 1,2 * * *", Tz::Europe__Berlin, &["cron(0 3 * 3,10 ? *)"])]
#[case("0 6 * * *", Tz::Europe__Berlin, &[])]
// At midnight, and by half an hour.
#[case("30 0 * * *", Tz::America__Santiago, &["cron(0 1 * 9 ? *)"])]
#[case("15 2 * 10 *", Tz::Australia__Lord_Howe, &["cron(30 2 * 10 ? *)"])]
fn clock_changes_have_guards(#[case] cron: &str, #[case] timezone: Tz, #[case] expected: &[&str]) {
    let (_, guards) = translate(cron, timezone);
    let expected: Vec<String> = expected
        .iter()
        .map(|e| format!("{e} in {timezone}"))
        .collect();
    assert_eq!(guards, expected);
}

#[test]
fn an_inexpressible_cron_is_refused_with_what_to_write() {
    let schedule = CronSchedule::new("0 6 13 * 5#2", Tz::UTC).unwrap();
    // With a star next to the counted day of the week, both day fields have to match.
    let both: Result<CronExpression, _> = "0 6 13 * *,5#2".parse();
    if let Ok(both) = both {
        let error =
            scheduler_expressions(&CronSchedule::from_expression(both, Tz::UTC)).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("write the days of the month alone"),
            "{error}"
        );
    }
    // Next to a counted day the day of the month is ignored.
    let counted = scheduler_expressions(&schedule).unwrap();
    assert_eq!(counted.expressions[0].expression, "cron(0 6 ? * 6#2 *)");
}
