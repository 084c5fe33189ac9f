//! The sensors and schedules.

use precip::prelude::*;

use crate::assets::{
    marts::origin_profile,
    raw::{airlines, airports, planes},
};

/// A file of flights makes the tables of its day and their upstream. `carrier_month` follows by its
/// automation condition.
#[sensor(
    bucket = env("FLIGHTS_LANDING").or("events/landing"),
    key = "flights/{date}.csv.gz",
    target = "+key:delays or key:departures",
    status = running,
    min_size = 1,
)]
pub struct landing_flights;

/// A file of observations makes the weather of its day.
#[sensor(
    bucket = env("FLIGHTS_LANDING").or("events/landing"),
    key = "weather/{date}.csv.gz",
    target = "weather",
    status = running,
    min_size = 1,
)]
pub struct landing_weather;

/// A new reference file makes its own table only.
#[sensor(
    bucket = env("FLIGHTS_LANDING").or("events/landing"),
    prefix = "reference/",
    suffix = ".csv",
    target = [airlines, airports, planes],
)]
pub fn landing_reference(context: &SensorContext) -> Result<RunRequest, Skip> {
    let object = context
        .object()
        .map_err(|error| Skip::because(error.to_string()))?;
    let file = object
        .key
        .trim_start_matches("reference/")
        .trim_end_matches(".csv");
    match file {
        "airlines" | "airports" | "planes" => Ok(RunRequest::new().select(file)),
        other => Err(Skip::because(format!(
            "no table is made from `{other}.csv`"
        ))),
    }
}

/// Each morning at six in New York, yesterday's partition of `flights` and everything downstream.
#[schedule(from_partitions(hour = 6), target = "flights+")]
pub struct each_morning;

/// On Mondays, the busy hours of each airport.
#[schedule(
    cron = "30 7 * * mon",
    timezone = "America/New_York",
    target = [origin_profile],
    catch_up = latest,
)]
pub struct weekly_profile;
