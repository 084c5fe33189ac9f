//! `time_windows.json`: the keys and windows of a definition at a moment.

use std::collections::HashSet;

use chrono::{DateTime, SecondsFormat, Utc};
use precip_core::partitions::{InvalidTimeWindows, TimeWindowBuilder, TimeWindowPartitions};
use serde_json::Value;

use crate::kind::{Kind, Mismatch};

/// Time-window partitions.
pub(crate) struct TimeWindows;

impl Kind for TimeWindows {
    const FILE: &'static str = "time_windows.json";

    type Shared = ();

    fn shared(_body: &Value) -> Self::Shared {}

    fn check(case: &Value, _shared: &Self::Shared) -> Result<(), Mismatch> {
        let expect = &case["expect"];
        let definition = match (build(case), expect["error"].is_string()) {
            (Ok(definition), false) => definition,
            (Err(_), true) => return Ok(()),
            (Ok(definition), true) => return Err(Mismatch::new(expect, definition)),
            (Err(fault), false) => return Err(Mismatch::new("a definition", fault.to_string())),
        };
        let now = text(&case["current_time_utc"]).parse::<DateTime<Utc>>();
        let count = definition.count(now.expect("a moment in RFC 3339"));
        let keys: Vec<String> = definition
            .keys(0..count)
            .map(|key| key.as_str().to_owned())
            .collect();
        Mismatch::unless_equal("count", &expect["count"].as_u64(), &Some(keys.len() as u64))?;
        let first5: Vec<String> = keys.iter().take(5).cloned().collect();
        Mismatch::unless_equal("first5", &strings(&expect["first5"]), &first5)?;
        let last5 = keys[keys.len().saturating_sub(5)..].to_vec();
        Mismatch::unless_equal("last5", &strings(&expect["last5"]), &last5)?;
        let distinct: HashSet<&String> = keys.iter().collect();
        let duplicates = (keys.len() - distinct.len()) as u64;
        Mismatch::unless_equal(
            "duplicate_keys",
            &expect["duplicate_keys"].as_u64(),
            &Some(duplicates),
        )?;
        for window in expect["windows"].as_array().into_iter().flatten() {
            let key = text(&window["key"]);
            let found = definition
                .ordinal(key)
                .and_then(|ordinal| definition.window(ordinal));
            let got = found.map(|window| [utc(window.start), utc(window.end)]);
            let wanted = Some([&window["start_utc"], &window["end_utc"]])
                .map(|pair| pair.map(|moment| text(moment).to_owned()));
            Mismatch::unless_equal(&format!("window of {key}"), &wanted, &got)?;
        }
        // A key that several windows share leads to one of them only.
        if duplicates > 0 {
            Ok(())
        } else {
            each_key_leads_back(&definition, &keys)
        }
    }
}

/// Each key names the ordinal it came from.
fn each_key_leads_back(definition: &TimeWindowPartitions, keys: &[String]) -> Result<(), Mismatch> {
    let strange = keys.iter().zip(0u64..).find(|(key, ordinal)| {
        let found = definition
            .ordinal(key)
            .and_then(|found| usize::try_from(found).ok());
        found.and_then(|found| keys.get(found)) != Some(key)
            || definition
                .key(*ordinal)
                .is_none_or(|again| again.as_str() != key.as_str())
    });
    match strange {
        None => Ok(()),
        Some((key, ordinal)) => Err(Mismatch::new(
            format!("ordinal {ordinal} from key {key}"),
            definition.ordinal(key),
        )),
    }
}

/// The definition that a case or a named set writes.
pub(crate) fn build(case: &Value) -> Result<TimeWindowPartitions, InvalidTimeWindows> {
    let start = text(&case["start"]);
    let mut builder: TimeWindowBuilder = match text(&case["cadence"]) {
        "hourly" => TimeWindowPartitions::hourly(start),
        "daily" => TimeWindowPartitions::daily(start),
        "weekly" => TimeWindowPartitions::weekly(start),
        "monthly" => TimeWindowPartitions::monthly(start),
        _ => TimeWindowPartitions::cron(text(&case["cron_schedule"]), start, text(&case["fmt"])),
    };
    let number = |field: &str| case[field].as_i64().unwrap_or_default();
    let offset = |field| u32::try_from(number(field)).expect("an offset that is not negative");
    builder = builder
        .timezone(text(&case["timezone"]))
        .end_offset(i32::try_from(number("end_offset")).expect("a small offset"))
        .minute_offset(offset("minute_offset"))
        .hour_offset(offset("hour_offset"))
        .day_offset(offset("day_offset"));
    if let Some(fmt) = case["fmt"].as_str() {
        builder = builder.fmt(fmt);
    }
    if let Some(end) = case["end"].as_str() {
        builder = builder.end(end);
    }
    for exclusion in strings(&case["exclusions"]) {
        // A cron string has spaces or is an alias; anything else is a date and time.
        builder = match exclusion.parse::<chrono::NaiveDateTime>() {
            Ok(at) => builder.exclude_at(at),
            Err(_) => builder.exclude(exclusion),
        };
    }
    builder.build()
}

fn utc(moment: DateTime<Utc>) -> String {
    moment.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn strings(value: &Value) -> Vec<String> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .map(|item| text(item).to_owned())
        .collect()
}
