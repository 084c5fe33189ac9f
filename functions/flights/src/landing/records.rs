//! The rows of the landing files as written, with `NA` for no value.

use std::str::FromStr;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Deserializer, de::Error};

use crate::rows::{Airport, Flight, Plane, Weather};

/// A row of `flights/{date}.csv.gz`.
#[derive(Debug, Deserialize)]
pub struct FlightRecord {
    year: i32,
    month: u32,
    day: u32,
    #[serde(deserialize_with = "value_or_na")]
    dep_time: Option<i32>,
    sched_dep_time: i32,
    #[serde(deserialize_with = "value_or_na")]
    dep_delay: Option<i32>,
    #[serde(deserialize_with = "value_or_na")]
    arr_time: Option<i32>,
    sched_arr_time: i32,
    #[serde(deserialize_with = "value_or_na")]
    arr_delay: Option<i32>,
    carrier: String,
    flight: i32,
    #[serde(deserialize_with = "value_or_na")]
    tailnum: Option<String>,
    origin: String,
    dest: String,
    #[serde(deserialize_with = "value_or_na")]
    air_time: Option<i32>,
    distance: i32,
    time_hour: DateTime<Utc>,
}

impl From<FlightRecord> for Flight {
    fn from(record: FlightRecord) -> Self {
        Self {
            date: NaiveDate::from_ymd_opt(record.year, record.month, record.day)
                .unwrap_or_default(),
            dep_time: record.dep_time,
            sched_dep_time: record.sched_dep_time,
            dep_delay: record.dep_delay,
            arr_time: record.arr_time,
            sched_arr_time: record.sched_arr_time,
            arr_delay: record.arr_delay,
            carrier: record.carrier,
            flight: record.flight,
            tailnum: record.tailnum,
            origin: record.origin,
            dest: record.dest,
            air_time: record.air_time,
            distance: record.distance,
            time_hour: record.time_hour,
        }
    }
}

/// A row of `weather/{date}.csv.gz`.
#[derive(Debug, Deserialize)]
pub struct WeatherRecord {
    origin: String,
    #[serde(deserialize_with = "value_or_na")]
    temp: Option<f64>,
    #[serde(deserialize_with = "value_or_na")]
    humid: Option<f64>,
    #[serde(deserialize_with = "value_or_na")]
    wind_speed: Option<f64>,
    #[serde(deserialize_with = "value_or_na")]
    precip: Option<f64>,
    #[serde(deserialize_with = "value_or_na")]
    visib: Option<f64>,
    time_hour: DateTime<Utc>,
}

impl From<WeatherRecord> for Weather {
    fn from(record: WeatherRecord) -> Self {
        Self {
            origin: record.origin,
            temp: record.temp,
            humid: record.humid,
            wind_speed: record.wind_speed,
            precip: record.precip,
            visib: record.visib,
            time_hour: record.time_hour,
        }
    }
}

/// A row of `reference/airports.csv`.
#[derive(Debug, Deserialize)]
pub struct AirportRecord {
    faa: String,
    name: String,
    lat: f64,
    lon: f64,
    alt: f64,
    #[serde(deserialize_with = "value_or_na")]
    tzone: Option<String>,
}

impl From<AirportRecord> for Airport {
    fn from(record: AirportRecord) -> Self {
        Self {
            faa: record.faa,
            name: record.name,
            lat: record.lat,
            lon: record.lon,
            alt: record.alt,
            tzone: record.tzone,
        }
    }
}

/// A row of `reference/planes.csv`.
#[derive(Debug, Deserialize)]
pub struct PlaneRecord {
    tailnum: String,
    #[serde(deserialize_with = "value_or_na")]
    year: Option<i32>,
    manufacturer: String,
    model: String,
    engines: i32,
    seats: i32,
}

impl From<PlaneRecord> for Plane {
    fn from(record: PlaneRecord) -> Self {
        Self {
            tailnum: record.tailnum,
            year: record.year,
            manufacturer: record.manufacturer,
            model: record.model,
            engines: record.engines,
            seats: record.seats,
        }
    }
}

/// Deserializes a value, or `None` for `NA` and empty text.
fn value_or_na<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: std::fmt::Display>,
{
    let text = String::deserialize(deserializer)?;
    match text.as_str() {
        "" | "NA" => Ok(None),
        value => value.parse().map(Some).map_err(|error| {
            D::Error::custom(format!("`{value}` is not a value or `NA`: {error}"))
        }),
    }
}
