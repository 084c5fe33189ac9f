//! The rows of the tables that this project makes, column by column.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

/// One scheduled flight out of New York. Times of day are local, as `hhmm` numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Flight {
    pub date: NaiveDate,
    /// The time of departure; `None` if it was cancelled.
    pub dep_time: Option<i32>,
    pub sched_dep_time: i32,
    /// In minutes; negative is early.
    pub dep_delay: Option<i32>,
    pub arr_time: Option<i32>,
    pub sched_arr_time: i32,
    /// In minutes; negative is early.
    pub arr_delay: Option<i32>,
    pub carrier: String,
    pub flight: i32,
    pub tailnum: Option<String>,
    pub origin: String,
    pub dest: String,
    /// The time in the air, in minutes.
    pub air_time: Option<i32>,
    /// In miles.
    pub distance: i32,
    /// The hour of the scheduled departure.
    pub time_hour: DateTime<Utc>,
}

impl Flight {
    /// Returns whether the flight never left.
    pub fn is_cancelled(&self) -> bool {
        self.dep_time.is_none()
    }
}

/// The weather at an airport in one hour.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Weather {
    pub origin: String,
    /// In degrees Fahrenheit.
    pub temp: Option<f64>,
    pub humid: Option<f64>,
    /// In miles an hour.
    pub wind_speed: Option<f64>,
    /// In inches.
    pub precip: Option<f64>,
    /// In miles.
    pub visib: Option<f64>,
    pub time_hour: DateTime<Utc>,
}

/// An airline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Airline {
    pub carrier: String,
    pub name: String,
}

/// An airport.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Airport {
    pub faa: String,
    pub name: String,
    pub lat: f64,
    pub lon: f64,
    /// In feet.
    pub alt: f64,
    pub tzone: Option<String>,
}

/// An aircraft, by its tail number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plane {
    pub tailnum: String,
    pub year: Option<i32>,
    pub manufacturer: String,
    pub model: String,
    pub engines: i32,
    pub seats: i32,
}

/// The departures of one airport in one hour of one day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DepartureHour {
    pub date: NaiveDate,
    pub origin: String,
    /// The scheduled hour, local.
    pub hour: i32,
    pub scheduled: i64,
    pub cancelled: i64,
    /// In minutes, over the flights that left.
    pub mean_dep_delay: Option<f64>,
}

/// One flight with its airline and the weather at its scheduled departure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Delay {
    pub date: NaiveDate,
    pub carrier: String,
    /// The airline's name; `None` if the reference file does not have the carrier.
    pub airline: Option<String>,
    pub flight: i32,
    pub origin: String,
    pub dest: String,
    pub distance: i32,
    pub cancelled: bool,
    pub dep_delay: Option<i32>,
    pub arr_delay: Option<i32>,
    pub temp: Option<f64>,
    pub wind_speed: Option<f64>,
    pub precip: Option<f64>,
    pub visib: Option<f64>,
}

/// One airline's month.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CarrierMonth {
    pub carrier: String,
    /// The airline's name; `None` if the reference file does not have the carrier.
    pub name: Option<String>,
    pub flights: i64,
    pub cancelled: i64,
    /// In minutes, over the flights that have one.
    pub mean_dep_delay: Option<f64>,
    /// In minutes, over the flights that have one.
    pub mean_arr_delay: Option<f64>,
}

/// One airport's departures by scheduled hour, over all days so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OriginHour {
    pub origin: String,
    pub hour: i32,
    pub days: i64,
    pub scheduled: i64,
    pub cancelled: i64,
}
