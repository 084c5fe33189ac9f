//! The landing files, as tables.

use precip::prelude::*;

use crate::{
    landing::{AirportRecord, FlightRecord, Landing, LandingError, PlaneRecord, WeatherRecord},
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
    let records: Vec<FlightRecord> = landing.read_rows(&file).await.terminal()?;
    let rows: Vec<Flight> = records.into_iter().map(Flight::from).collect();
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
    let records: Vec<WeatherRecord> = match landing.read_rows(&file).await {
        Err(LandingError::Missing { .. }) => Vec::new(),
        read => read.terminal()?,
    };
    let landed = CheckResult::passed_if(!records.is_empty())
        .named("landed")
        .warn()
        .description(format!("{} observations in {file}", records.len()));
    let rows = records.into_iter().map(Weather::from).collect();
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
    let airlines = if context.is_selected::<airlines>() {
        Some(
            landing
                .read_rows("reference/airlines.csv")
                .await
                .terminal()?,
        )
    } else {
        None
    };
    let airports = if context.is_selected::<airports>() {
        let records = landing
            .read_rows("reference/airports.csv")
            .await
            .terminal()?;
        Some(
            records
                .into_iter()
                .map(|r: AirportRecord| r.into())
                .collect(),
        )
    } else {
        None
    };
    let planes = if context.is_selected::<planes>() {
        let records = landing.read_rows("reference/planes.csv").await.terminal()?;
        Some(records.into_iter().map(|r: PlaneRecord| r.into()).collect())
    } else {
        None
    };
    Ok((airlines, airports, planes))
}
