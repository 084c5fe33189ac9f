//! The project of these tests: daily trips, totals of them, a list of cities, and uploaded files.

use precip::{
    engine::definitions::{Declaration, Declares},
    prelude::*,
};
use serde::{Deserialize, Serialize};

static DAILY: LazyPartitions = partitions!(daily(start = "2024-01-01", end = "2024-01-05"));
static FILES: LazyPartitions = partitions!(dynamic("files"));

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Trip {
    city: String,
    fare: f64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Total {
    city: String,
    trips: i64,
}

/// Every trip of a day.
#[asset(group = "raw", partitions = DAILY, owners = ["team:data"], kinds = ["parquet"])]
fn trips(context: &AssetContext) -> Result<Vec<Trip>, AssetError> {
    if context.partition_key()?.as_str() == "2024-01-03" {
        return Err(AssetError::terminal("the file of the day is damaged"));
    }
    let trip = |city: &str, fare| Trip {
        city: city.to_owned(),
        fare,
    };
    Ok(vec![
        trip("Newark", 12.5),
        trip("New York", 40.0),
        trip("Newark", 7.25),
    ])
}

/// How many trips each city had on a day.
#[asset(group = "marts", partitions = DAILY, tags(tier = "1"), kinds = ["parquet"], code_version = "2")]
fn totals(trips: Vec<Trip>) -> Vec<Total> {
    let of = |city: &str| Total {
        city: city.to_owned(),
        trips: trips
            .iter()
            .filter(|trip| trip.city == city)
            .count()
            .try_into()
            .unwrap(),
    };
    vec![of("New York"), of("Newark")]
}

/// A day has trips.
#[asset_check(asset = totals, blocking)]
fn not_empty(totals: Vec<Total>) -> CheckResult {
    CheckResult::passed_if(!totals.is_empty()).metadata("rows", totals.len())
}

/// The known cities.
#[asset]
fn cities() -> Vec<Total> {
    Vec::new()
}

/// Files that people upload.
#[asset(group = "raw", partitions = FILES)]
fn uploads() -> Json<i64> {
    Json(1)
}

/// A file of trips makes the trips of its day.
#[sensor(bucket = "landing", key = "trips/{date}.csv", target = [trips], min_size = 1)]
struct landing_trips;

/// Each night, what a file may have missed.
#[schedule(from_partitions(hour = 2, timezone = "Europe/Berlin"), target = "trips+", status = running)]
struct nightly;

/// Returns the project. `totals` has a freshness policy of a day and is materialized by automation.
pub(crate) fn project_definitions() -> Definitions {
    definitions_with(Vec::new())
}

/// Returns the project with further declarations.
pub(crate) fn definitions_with(more: Vec<Declaration>) -> Definitions {
    let mut declared = totals::declare();
    if let Declaration::Op(op) = &mut declared {
        let hours = |hours: u64| std::time::Duration::from_secs(hours * 3_600);
        let policy = FreshnessPolicy::time_window(hours(24), Some(hours(12)));
        op.spec.assets[0].freshness = Some(policy.unwrap());
        op.spec.assets[0].automation = Some(AutomationCondition::eager());
    }
    let token = secret("trips/token").or(precip::Secret::new(String::new()));
    let prod =
        Environment::new("prod")
            .resource_from("fares", (env("FARES_HOST"), token), |_| async { Ok(0_u8) });
    Definitions::builder()
        .asset::<trips>()
        .declare([declared])
        .check::<not_empty>()
        .asset::<cities>()
        .asset::<uploads>()
        .sensor::<landing_trips>()
        .schedule::<nightly>()
        .declare(more)
        .environment(Environment::new("local"))
        .environment(prod)
        .build()
        .unwrap()
}
