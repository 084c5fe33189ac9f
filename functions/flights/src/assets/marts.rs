//! The tables that people look at.

use precip::{
    checks::{row_count, unique},
    prelude::*,
};

use crate::assets::staging::{delays, departures};
use crate::{
    compute,
    partitions::{MONTHLY, ORIGINS},
    rows::{CarrierMonth, Delay, DepartureHour, OriginHour},
};

/// Flights, cancellations and delays of each airline in a month.
#[asset(
    group = "marts",
    partitions = MONTHLY,
    owners = ["team:analytics"],
    tags(domain = "flights", tier = "1"),
    kinds = ["parquet"],
    code_version = "1",
    automation = AutomationCondition::eager(),
    checks = [row_count(1..), unique(["carrier"])],
)]
pub fn carrier_month(delays: Vec<Delay>) -> Vec<CarrierMonth> {
    compute::carrier_month(&delays)
}

/// The busy hours of each airport, over all days so far.
#[asset(
    group = "marts",
    partitions = ORIGINS,
    owners = ["team:analytics"],
    tags(domain = "flights"),
    kinds = ["parquet"],
    code_version = "1",
)]
pub fn origin_profile(
    context: &AssetContext,
    departures: Option<Vec<DepartureHour>>,
) -> Result<Vec<OriginHour>, AssetError> {
    let origin = context.partition_key()?.as_str();
    Ok(match departures {
        Some(departures) => compute::origin_profile(origin, &departures),
        // No day has been made yet, so there are no hours to show.
        None => Vec::new(),
    })
}
