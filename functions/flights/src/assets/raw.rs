//! The landing files, as tables.

use precip::prelude::*;

use crate::{
    landing::{
        AirlineRecord, AirportRecord, FlightRecord, Landing, LandingError, PlaneRecord,
        WeatherRecord,
    },
    partitions::DAILY,
    rows::{Airline, Airport, Flight, Plane, Weather},
};

/// Every scheduled flight out of New York, by local date.
#[asset(
    group = "raw",
    partitions = DAILY,
    owners = ["team:ingest"],
    tags(domain = "flights", tier = "1"),
    kinds = ["csv", "parquet"],
    code_version = "1",
)]
pub async fn flights(
    context: &AssetContext,
    #[resource] landing: &Landing,
) -> Result<Output<Vec<Flight>>, AssetError> {
    let file = format!("flights/{}.csv.gz", context.partition_key()?);
    let rows: Vec<Flight> = landing.read_rows::<FlightRecord>(&file).await.terminal()?;
    let cancelled = rows.iter().filter(|flight| flight.is_cancelled()).count();
    Ok(Output::new(rows)
        .metadata("landing_file", file)
        .metadata("cancelled", cancelled))
}

/// The weather at the three airports for each hour, by local date.
///
/// The stations were silent on some days: the table then has no rows, and a check warns.
#[asset(
    group = "raw",
    partitions = DAILY,
    owners = ["team:ingest"],
    tags(domain = "weather", tier = "2"),
    kinds = ["csv", "parquet"],
    code_version = "1",
    checks = [landed],
)]
pub async fn weather(
    context: &AssetContext,
    #[resource] landing: &Landing,
) -> Result<Output<Vec<Weather>>, AssetError> {
    let file = format!("weather/{}.csv.gz", context.partition_key()?);
    // A missing file is a day without observations, which the check reports.
    let rows: Vec<Weather> = match landing.read_rows::<WeatherRecord>(&file).await {
        Err(LandingError::Missing { .. }) => Vec::new(),
        read => read.terminal()?,
    };
    let landed = CheckResult::passed_if(!rows.is_empty())
        .named("landed")
        .warn()
        .description(format!("{} observations in {file}", rows.len()));
    Ok(Output::new(rows)
        .metadata("landing_file", file)
        .check(landed))
}

/// The tables of [`fn@reference`]; `None` for those that a run does not select.
type Reference = (
    Option<Vec<Airline>>,
    Option<Vec<Airport>>,
    Option<Vec<Plane>>,
);

/// Tables that change rarely.
#[multi_asset(
    can_subset,
    group = "raw",
    outputs(
        /// Airlines by their two-letter code.
        airlines(owners = ["team:ingest"], tags(domain = "reference"), kinds = ["csv", "parquet"]),
        /// Airports by their FAA code.
        airports(owners = ["team:ingest"], tags(domain = "reference"), kinds = ["csv", "parquet"]),
        /// Aircraft by their tail number.
        planes(owners = ["team:ingest"], tags(domain = "reference"), kinds = ["csv", "parquet"]),
    ),
)]
pub async fn reference(
    context: &AssetContext,
    #[resource] landing: &Landing,
) -> Result<Reference, AssetError> {
    let mut tables: Reference = (None, None, None);
    if context.is_selected::<airlines>() {
        let file = "reference/airlines.csv";
        tables.0 = Some(landing.read_rows::<AirlineRecord>(file).await.terminal()?);
    }
    if context.is_selected::<airports>() {
        let file = "reference/airports.csv";
        tables.1 = Some(landing.read_rows::<AirportRecord>(file).await.terminal()?);
    }
    if context.is_selected::<planes>() {
        let file = "reference/planes.csv";
        tables.2 = Some(landing.read_rows::<PlaneRecord>(file).await.terminal()?);
    }
    Ok(tables)
}
