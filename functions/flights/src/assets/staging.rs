//! Joined and cleaned tables.

use chrono::NaiveDate;
use precip::prelude::*;

use crate::assets::raw::{airlines, flights, weather};
use crate::{
    compute,
    partitions::{DAILY, DAILY_BY_ORIGIN},
    rows::{Airline, Delay, DepartureHour, Flight, Weather},
};

/// The largest share of a day's flights that may lack a delay on arrival before a check warns.
const MOST_WITHOUT_DELAY: f64 = 0.25;

/// Departures from each airport in each hour of a day.
#[asset(
    group = "staging",
    partitions = DAILY_BY_ORIGIN,
    owners = ["team:analytics"],
    tags(domain = "flights"),
    kinds = ["parquet"],
    code_version = "1",
)]
pub fn departures(
    context: &AssetContext,
    flights: Vec<Flight>,
) -> Result<Vec<DepartureHour>, AssetError> {
    let date: NaiveDate = context.dimension_key("date")?.as_str().parse().terminal()?;
    let origin = context.dimension_key("origin")?;
    Ok(compute::departures(date, origin.as_str(), &flights))
}

/// Every flight with its airline, and the weather at its scheduled departure.
#[asset(
    group = "staging",
    partitions = DAILY,
    owners = ["team:analytics", "flights@example.com"],
    tags(domain = "flights", tier = "1"),
    kinds = ["parquet"],
    code_version = "1",
    freshness(fail_window = "36h", warn_window = "24h"),
)]
pub fn delays(flights: Vec<Flight>, weather: Vec<Weather>, airlines: Vec<Airline>) -> Vec<Delay> {
    compute::delays(&flights, &weather, &airlines)
}

/// A day has flights.
#[asset_check(asset = delays, blocking)]
pub fn not_empty(delays: Vec<Delay>) -> CheckResult {
    CheckResult::passed_if(!delays.is_empty()).metadata("rows", delays.len())
}

/// A flight goes somewhere.
#[asset_check(asset = delays)]
pub fn distance_positive(delays: Vec<Delay>) -> CheckResult {
    let nowhere = delays.iter().filter(|delay| delay.distance <= 0).count();
    CheckResult::passed_if(nowhere == 0).metadata("rows_without_distance", nowhere)
}

/// Most flights have a delay on arrival; those that never arrived have none.
#[asset_check(asset = delays)]
pub fn few_missing_delays(delays: Vec<Delay>) -> CheckResult {
    let share = compute::share_without_arrival_delay(&delays);
    CheckResult::passed_if(share <= MOST_WITHOUT_DELAY)
        .warn()
        .description(format!(
            "{:.1}% of the flights have no delay on arrival",
            share * 100.0
        ))
        .metadata("share", share)
}
