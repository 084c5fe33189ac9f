//! Schedules and their time zones.

use serde_json::{Map, Value};

use super::{Finding, Rule, cron, document::is_function};

/// Looks at an object that may hold a schedule: the properties of a rule or of an EventBridge
/// schedule, or of an event of a function in SAM's form.
pub(super) fn check(template: &str, place: &str, object: &Map<String, Value>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for key in ["ScheduleExpression", "Schedule"] {
        if let Some(text) = object.get(key).and_then(Value::as_str)
            && let Err(message) = expression(text)
        {
            let place = format!("{place}/{key}");
            let message = format!("`{text}` {message}");
            findings.push(Finding::new(Rule::Schedule, template, place, message));
        }
    }
    if let Some(zone) = object.get("ScheduleExpressionTimezone")
        && !is_function(zone)
    {
        let known = zone
            .as_str()
            .is_some_and(|name| name.parse::<chrono_tz::Tz>().is_ok());
        if !known {
            let place = format!("{place}/ScheduleExpressionTimezone");
            let message = format!(
                "{zone} is not a time zone: write one of the IANA database, such as \
                 \"America/New_York\""
            );
            findings.push(Finding::new(Rule::TimeZone, template, place, message));
        }
    }
    findings
}

/// What is wrong with a schedule, and what to write instead ("Schedule types" in the user guide of
/// EventBridge Scheduler).
fn expression(text: &str) -> Result<(), String> {
    let inner = |name: &str| {
        text.strip_prefix(name)?
            .strip_prefix('(')?
            .strip_suffix(')')
    };
    if let Some(fields) = inner("cron") {
        return cron::check(fields);
    }
    if let Some(rate) = inner("rate") {
        return self::rate(rate);
    }
    if let Some(at) = inner("at") {
        return self::at(at);
    }
    Err("is no schedule: write `cron(...)`, `rate(...)` or `at(...)`".to_owned())
}

fn rate(text: &str) -> Result<(), String> {
    let help = "write a number from 1 and a unit, such as `rate(1 hour)` or `rate(5 minutes)`";
    let Some((count, unit)) = text.split_once(' ') else {
        return Err(format!("has no unit: {help}"));
    };
    let count: u32 = match count.parse() {
        Ok(count) if count > 0 => count,
        _ => return Err(format!("has no number of units: {help}")),
    };
    let units = if count == 1 {
        ["minute", "hour", "day"]
    } else {
        ["minutes", "hours", "days"]
    };
    if units.contains(&unit) {
        Ok(())
    } else {
        Err(format!(
            "has the unit `{unit}`: write `{}`, `{}` or `{}` after {count}",
            units[0], units[1], units[2]
        ))
    }
}

/// `2024-01-31T06:00:00`.
fn at(text: &str) -> Result<(), String> {
    let form = "0000-00-00T00:00:00";
    let fits = |(given, wanted): (u8, u8)| {
        if wanted == b'0' {
            given.is_ascii_digit()
        } else {
            given == wanted
        }
    };
    if text.len() == form.len() && text.bytes().zip(form.bytes()).all(fits) {
        Ok(())
    } else {
        Err("is no moment: write one such as `at(2024-01-31T06:00:00)`".to_owned())
    }
}
