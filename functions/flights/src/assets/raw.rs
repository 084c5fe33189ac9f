//! What lands, as tables.

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
    let records: Vec<FlightRecord> = landing.read(&file).await.terminal()?;
    let rows: Vec<Flight> = records.into_iter().map(Flight::from).collect();
    let cancelled = rows.iter().filter(|flight| flight.is_cancelled()).count();
    Ok(Output::new(rows)
        .metadata("landing_file", file)
        .metadata("cancelled", cancelled))
}

/// The weather at the three airports, hour by hour, by local date.
///
/// The stations were silent on some days: then the table is there without a row, and a check warns.
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
    let records: Vec<WeatherRecord> = match landing.read(&file).await {
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

/// The tables of [`fn@reference`]; those that a run does not ask for are absent.
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
    let airlines = match context.is_selected::<airlines>() {
        true => Some(landing.read("reference/airlines.csv").await.terminal()?),
        false => None,
    };
    let airports = match context.is_selected::<airports>() {
        true => {
            let records = landing.read("reference/airports.csv").await.terminal()?;
            Some(
                records
                    .into_iter()
                    .map(|r: AirportRecord| r.into())
                    .collect(),
            )
        }
        false => None,
    };
    let planes = match context.is_selected::<planes>() {
        true => {
            let records = landing.read("reference/planes.csv").await.terminal()?;
            Some(records.into_iter().map(|r: PlaneRecord| r.into()).collect())
        }
        false => None,
    };
    Ok((airlines, airports, planes))
}
