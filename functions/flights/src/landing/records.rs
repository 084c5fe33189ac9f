//! The rows of the landing files as written, with `NA` for no value.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;

use super::{InvalidValue, LandingRecord};
use crate::rows::{Airline, Airport, Flight, Plane, Weather};

/// A row of `flights/{date}.csv.gz`.
#[derive(Debug, Deserialize)]
pub struct FlightRecord {
    year: i32,
    month: u32,
    day: u32,
    dep_time: Option<i32>,
    sched_dep_time: i32,
    dep_delay: Option<i32>,
    arr_time: Option<i32>,
    sched_arr_time: i32,
    arr_delay: Option<i32>,
    carrier: String,
    flight: i32,
    tailnum: Option<String>,
    origin: String,
    dest: String,
    air_time: Option<i32>,
    distance: i32,
    time_hour: DateTime<Utc>,
}

impl LandingRecord for FlightRecord {
    type Row = Flight;
    const COLUMNS: &'static [&'static str] = &[
        "year",
        "month",
        "day",
        "dep_time",
        "sched_dep_time",
        "dep_delay",
        "arr_time",
        "sched_arr_time",
        "arr_delay",
        "carrier",
        "flight",
        "tailnum",
        "origin",
        "dest",
        "air_time",
        "distance",
        "time_hour",
    ];
    const OPTIONAL: &'static [&'static str] = &[
        "dep_time",
        "dep_delay",
        "arr_time",
        "arr_delay",
        "tailnum",
        "air_time",
    ];

    fn into_row(self) -> Result<Flight, InvalidValue> {
        Ok(Flight {
            date: parse_date(self.year, self.month, self.day)?,
            dep_time: self.dep_time,
            sched_dep_time: self.sched_dep_time,
            dep_delay: self.dep_delay,
            arr_time: self.arr_time,
            sched_arr_time: self.sched_arr_time,
            arr_delay: self.arr_delay,
            carrier: self.carrier,
            flight: self.flight,
            tailnum: self.tailnum,
            origin: self.origin,
            dest: self.dest,
            air_time: self.air_time,
            distance: self.distance,
            time_hour: self.time_hour,
        })
    }
}

/// A row of `weather/{date}.csv.gz`.
#[derive(Debug, Deserialize)]
pub struct WeatherRecord {
    origin: String,
    temp: Option<f64>,
    humid: Option<f64>,
    wind_speed: Option<f64>,
    precip: Option<f64>,
    visib: Option<f64>,
    time_hour: DateTime<Utc>,
}

impl LandingRecord for WeatherRecord {
    type Row = Weather;
    const COLUMNS: &'static [&'static str] = &[
        "origin",
        "temp",
        "humid",
        "wind_speed",
        "precip",
        "visib",
        "time_hour",
    ];
    const OPTIONAL: &'static [&'static str] = &["temp", "humid", "wind_speed", "precip", "visib"];

    fn into_row(self) -> Result<Weather, InvalidValue> {
        Ok(Weather {
            origin: self.origin,
            temp: self.temp,
            humid: self.humid,
            wind_speed: self.wind_speed,
            precip: self.precip,
            visib: self.visib,
            time_hour: self.time_hour,
        })
    }
}

/// A row of `reference/airlines.csv`.
#[derive(Debug, Deserialize)]
pub struct AirlineRecord {
    carrier: String,
    name: String,
}

impl LandingRecord for AirlineRecord {
    type Row = Airline;
    const COLUMNS: &'static [&'static str] = &["carrier", "name"];

    fn into_row(self) -> Result<Airline, InvalidValue> {
        Ok(Airline {
            carrier: self.carrier,
            name: self.name,
        })
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
    tzone: Option<String>,
}

impl LandingRecord for AirportRecord {
    type Row = Airport;
    const COLUMNS: &'static [&'static str] = &["faa", "name", "lat", "lon", "alt", "tzone"];
    const OPTIONAL: &'static [&'static str] = &["tzone"];

    fn into_row(self) -> Result<Airport, InvalidValue> {
        Ok(Airport {
            faa: self.faa,
            name: self.name,
            lat: self.lat,
            lon: self.lon,
            alt: self.alt,
            tzone: self.tzone,
        })
    }
}

/// A row of `reference/planes.csv`.
#[derive(Debug, Deserialize)]
pub struct PlaneRecord {
    tailnum: String,
    year: Option<i32>,
    manufacturer: String,
    model: String,
    engines: i32,
    seats: i32,
}

impl LandingRecord for PlaneRecord {
    type Row = Plane;
    const COLUMNS: &'static [&'static str] = &[
        "tailnum",
        "year",
        "manufacturer",
        "model",
        "engines",
        "seats",
    ];
    const OPTIONAL: &'static [&'static str] = &["year"];

    fn into_row(self) -> Result<Plane, InvalidValue> {
        Ok(Plane {
            tailnum: self.tailnum,
            year: self.year,
            manufacturer: self.manufacturer,
            model: self.model,
            engines: self.engines,
            seats: self.seats,
        })
    }
}

/// Parses a date from its parts, or returns the column that is wrong.
fn parse_date(year: i32, month: u32, day: u32) -> Result<NaiveDate, InvalidValue> {
    NaiveDate::from_ymd_opt(year, month, day).ok_or_else(|| InvalidValue {
        column: if NaiveDate::from_ymd_opt(year, 1, 1).is_none() {
            "year"
        } else if NaiveDate::from_ymd_opt(year, month, 1).is_none() {
            "month"
        } else {
            "day"
        },
        reason: format!("there is no date {year}-{month}-{day}"),
    })
}
