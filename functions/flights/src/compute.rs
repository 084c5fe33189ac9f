//! The computations of the assets, as plain functions of rows.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, NaiveDate, Utc};

use crate::{
    mean::Mean,
    rows::{Airline, CarrierMonth, Delay, DepartureHour, Flight, OriginHour, Weather},
};

/// Joins flights with their airlines and with the weather at their origin in the scheduled hour. A
/// flight without either is kept.
pub fn delays(flights: &[Flight], weather: &[Weather], airlines: &[Airline]) -> Vec<Delay> {
    let names: HashMap<&str, &str> = airlines
        .iter()
        .map(|airline| (airline.carrier.as_str(), airline.name.as_str()))
        .collect();
    let hours: HashMap<(&str, DateTime<Utc>), &Weather> = weather
        .iter()
        .map(|hour| ((hour.origin.as_str(), hour.time_hour), hour))
        .collect();
    let join = |flight: &Flight| {
        let hour = hours.get(&(flight.origin.as_str(), flight.time_hour));
        Delay {
            date: flight.date,
            carrier: flight.carrier.clone(),
            airline: names
                .get(flight.carrier.as_str())
                .map(|name| (*name).to_owned()),
            flight: flight.flight,
            origin: flight.origin.clone(),
            dest: flight.dest.clone(),
            distance: flight.distance,
            cancelled: flight.is_cancelled(),
            dep_delay: flight.dep_delay,
            arr_delay: flight.arr_delay,
            temp: hour.and_then(|hour| hour.temp),
            wind_speed: hour.and_then(|hour| hour.wind_speed),
            precip: hour.and_then(|hour| hour.precip),
            visib: hour.and_then(|hour| hour.visib),
        }
    };
    flights.iter().map(join).collect()
}

/// Counts the departures of one airport, by scheduled hour.
pub fn departures(date: NaiveDate, origin: &str, flights: &[Flight]) -> Vec<DepartureHour> {
    // Scheduled flights, cancelled flights and mean delay of each hour.
    let mut hours: BTreeMap<i32, (i64, i64, Mean)> = BTreeMap::new();
    for flight in flights.iter().filter(|flight| flight.origin == origin) {
        let (scheduled, cancelled, delay) = hours.entry(flight.sched_dep_time / 100).or_default();
        *scheduled += 1;
        *cancelled += i64::from(flight.is_cancelled());
        delay.add(flight.dep_delay);
    }
    let row = |(hour, (scheduled, cancelled, delay)): (i32, (i64, i64, Mean))| DepartureHour {
        date,
        origin: origin.to_owned(),
        hour,
        scheduled,
        cancelled,
        mean_dep_delay: delay.value(),
    };
    hours.into_iter().map(row).collect()
}

/// Summarizes a month's flights by airline.
pub fn carrier_month(delays: &[Delay]) -> Vec<CarrierMonth> {
    #[derive(Default)]
    struct Sums<'a> {
        name: Option<&'a str>,
        flights: i64,
        cancelled: i64,
        dep_delay: Mean,
        arr_delay: Mean,
    }
    // An ordered map, so that equal input gives equal rows.
    let mut carriers: BTreeMap<&str, Sums<'_>> = BTreeMap::new();
    for delay in delays {
        let sums = carriers.entry(&delay.carrier).or_default();
        sums.name = delay.airline.as_deref();
        sums.flights += 1;
        sums.cancelled += i64::from(delay.cancelled);
        sums.dep_delay.add(delay.dep_delay);
        sums.arr_delay.add(delay.arr_delay);
    }
    let row = |(carrier, sums): (&str, Sums<'_>)| CarrierMonth {
        carrier: carrier.to_owned(),
        name: sums.name.map(str::to_owned),
        flights: sums.flights,
        cancelled: sums.cancelled,
        mean_dep_delay: sums.dep_delay.value(),
        mean_arr_delay: sums.arr_delay.value(),
    };
    carriers.into_iter().map(row).collect()
}

/// Summarizes one airport's departures by scheduled hour.
pub fn origin_profile(origin: &str, departures: &[DepartureHour]) -> Vec<OriginHour> {
    let mut hours: BTreeMap<i32, (HashSet<NaiveDate>, i64, i64)> = BTreeMap::new();
    for departure in departures {
        let (days, scheduled, cancelled) = hours.entry(departure.hour).or_default();
        days.insert(departure.date);
        *scheduled += departure.scheduled;
        *cancelled += departure.cancelled;
    }
    let row =
        |(hour, (days, scheduled, cancelled)): (i32, (HashSet<NaiveDate>, i64, i64))| OriginHour {
            origin: origin.to_owned(),
            hour,
            days: days.iter().map(|_| 1).sum(),
            scheduled,
            cancelled,
        };
    hours.into_iter().map(row).collect()
}

/// Returns the share of flights whose delay on arrival is not known.
pub fn share_without_arrival_delay(delays: &[Delay]) -> f64 {
    if delays.is_empty() {
        return 0.0;
    }
    let missing = delays
        .iter()
        .filter(|delay| delay.arr_delay.is_none())
        .count();
    #[expect(
        clippy::cast_precision_loss,
        reason = "rows of a day are far below 2^52"
    )]
    let share = missing as f64 / delays.len() as f64;
    share
}
