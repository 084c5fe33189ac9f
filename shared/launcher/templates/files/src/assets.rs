//! The assets and their checks.

use std::collections::BTreeMap;

use precip::{
    checks::{row_count, unique},
    io::Files,
    prelude::*,
};
use serde::{Deserialize, Serialize};

use crate::{
    landing::read_rows,
    partitions::{DAILY, WEEKLY},
};

/// An order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Order {
    pub id: i64,
    pub product: String,
    pub quantity: i64,
    /// The price of one piece, in cents.
    pub price: i64,
}

/// The revenue of a product in a day or a week.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Revenue {
    pub product: String,
    pub orders: i64,
    /// In cents.
    pub revenue: i64,
}

/// The orders of a day, from its landing file `orders/{day}.csv`.
#[asset(
    group = "raw",
    partitions = DAILY,
    checks = [row_count(1..), unique(["id"])],
)]
pub async fn orders(
    context: &AssetContext,
    #[resource] landing: &Files,
) -> Result<Output<Vec<Order>>, AssetError> {
    let file = format!("orders/{}.csv", context.partition_key()?);
    let rows: Vec<Order> = read_rows(landing, &file).await.terminal()?;
    Ok(Output::new(rows).metadata("landing_file", file))
}

/// Every order has a positive quantity.
#[asset_check(asset = orders, blocking)]
pub fn positive_quantity(orders: Vec<Order>) -> CheckResult {
    let wrong = orders.iter().filter(|order| order.quantity <= 0).count();
    CheckResult::passed_if(wrong == 0).metadata("wrong", wrong)
}

/// The revenue of each product in a day.
#[asset(group = "marts", partitions = DAILY)]
pub fn daily_revenue(orders: Vec<Order>) -> Vec<Revenue> {
    sum_by_product(orders.into_iter().map(|order| Revenue {
        product: order.product,
        orders: 1,
        revenue: order.quantity * order.price,
    }))
}

/// The revenue of each product in a week, from all of its days.
#[asset(
    group = "marts",
    partitions = WEEKLY,
    automation = AutomationCondition::eager(),
)]
pub fn weekly_revenue(daily_revenue: Vec<Revenue>) -> Vec<Revenue> {
    sum_by_product(daily_revenue)
}

fn sum_by_product(rows: impl IntoIterator<Item = Revenue>) -> Vec<Revenue> {
    // An ordered map, so that equal input gives equal rows.
    let mut products: BTreeMap<String, Revenue> = BTreeMap::new();
    for row in rows {
        match products.get_mut(&row.product) {
            Some(sum) => {
                sum.orders += row.orders;
                sum.revenue += row.revenue;
            }
            None => {
                products.insert(row.product.clone(), row);
            }
        }
    }
    products.into_values().collect()
}
