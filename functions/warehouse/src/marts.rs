//! Marts that are queries.

use flights::{assets::marts::carrier_month, partitions::MONTHLY};
use precip::prelude::*;
use precip_duckdb::sql_asset;
use serde::{Deserialize, Serialize};

/// An airline's rank in a month.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CarrierRank {
    /// 1 is the least late airline; airlines that were equally late share a rank.
    pub place: i64,
    pub carrier: String,
    /// The airline's name; `None` if the reference file does not have the carrier.
    pub name: Option<String>,
    pub flights: i64,
    /// In minutes, over the flights that arrived; `None` when none did.
    pub mean_arr_delay: Option<f64>,
    /// In minutes more than the month's least late airline.
    pub behind_first: Option<f64>,
}

/// The airlines of a month, ranked by how late they arrived.
#[sql_asset(
    group = "marts",
    partitions = MONTHLY,
    owners = ["team:analytics"],
    tags(domain = "flights"),
    kinds = ["sql"],
    code_version = "1",
    compute(binary = "materializer-sql"),
    automation = AutomationCondition::eager(),
)]
pub fn carrier_rank() -> Vec<CarrierRank> {
    "SELECT
         rank() OVER late AS place,
         carrier,
         name,
         flights,
         mean_arr_delay,
         mean_arr_delay - first_value(mean_arr_delay) OVER late AS behind_first
     FROM {carrier_month}
     WINDOW late AS (ORDER BY mean_arr_delay NULLS LAST)
     ORDER BY place, carrier"
}
