//! Schedules and their time zones.

use serde_json::{Map, Value};

use super::{Finding, Rule, cron, document::is_function};

/// Finds mistakes in an object that may hold a schedule: the properties of a rule, of an
/// EventBridge schedule, or of an event of a function in SAM's form.
pub(super) fn check_schedules(
    template: &str,
    location: &str,
    object: &Map<String, Value>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for key in ["ScheduleExpression", "Schedule"] {
        if let Some(text) = object.get(key).and_then(Value::as_str)
            && let Err(message) = check_expression(text)
        {
            let location = format!("{location}/{key}");
            let message = format!("`{text}` {message}");
            findings.push(Finding::new(Rule::Schedule, template, location, message));
        }
    }
    if let Some(zone) = object.get("ScheduleExpressionTimezone")
        && !is_function(zone)
    {
        let known = zone
            .as_str()
            .is_some_and(|name| name.parse::<chrono_tz::Tz>().is_ok());
        if !known {
            let location = format!("{location}/ScheduleExpressionTimezone");
            let message = format!(
                "{zone} is not a time zone: write one of the IANA database, such as \
                 \"America/New_York\""
            );
            findings.push(Finding::new(Rule::TimeZone, template, location, message));
        }
    }
    findings
}

/// Returns what is wrong with a schedule, and what to write instead ("Schedule types" in the user
/// guide of EventBridge Scheduler).
fn check_expression(text: &str) -> Result<(), String> {
    let inner = |name: &str| {
        text.strip_prefix(name)?
            .strip_prefix('(')?
            .strip_suffix(')')
    };
    if let Some(fields) = inner("cron") {
        return cron::check_cron(fields);
    }
    if let Some(rate) = inner("rate") {
        return self::check_rate(rate);
    }
    if let Some(at) = inner("at") {
        return self::check_at(at);
    }
    Err("is not a schedule: write `cron(...)`, `rate(...)` or `at(...)`".to_owned())
}

/// Checks the inside of `rate(1 hour)`.
fn check_rate(text: &str) -> Result<(), String> {
    let help = "write a number from 1 and a unit, such as `rate(1 hour)` or `rate(5 minutes)`";
    let Some((count, unit)) = text.split_once(' ') else {
        return Err(format!("has no unit: {help}"));
    };
    let count: u32 = match count.parse() {
        Ok(count) if count > 0 => count,
        _ => return Err(format!("has no number of units: {help}")),
    };
    // AWS refuses `1 hours` and `5 hour`.
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

/// Checks the inside of `at(2024-01-31T06:00:00)`.
fn check_at(text: &str) -> Result<(), String> {
    // Only the form is checked, not the date.
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
        Err("is not a moment: write one like `at(2024-01-31T06:00:00)`".to_owned())
    }
}
