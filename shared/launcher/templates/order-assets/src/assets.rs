//! The assets and their checks.

use std::collections::BTreeMap;

use precip::{checks::unique, io::Files, prelude::*};
use serde::{Deserialize, Serialize};

use crate::landing::read_rows;

/// An order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Order {
    pub id: i64,
    pub product: String,
    pub quantity: i64,
    /// The price of one piece, in cents.
    pub price: i64,
}

/// The revenue of a product.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Revenue {
    pub product: String,
    pub orders: i64,
    /// In cents.
    pub revenue: i64,
}

/// All orders, from the landing file `orders.csv`.
#[asset(group = "raw", checks = [unique(["id"])])]
pub async fn orders(#[resource] landing: &Files) -> Result<Vec<Order>, AssetError> {
    Ok(read_rows(landing, "orders.csv").await.terminal()?)
}

/// Every order has a positive quantity.
#[asset_check(asset = orders, blocking)]
pub fn positive_quantity(orders: Vec<Order>) -> CheckResult {
    let wrong = orders.iter().filter(|order| order.quantity <= 0).count();
    CheckResult::passed_if(wrong == 0).metadata("wrong", wrong)
}

/// The revenue of each product.
#[asset(group = "marts")]
pub fn revenue(orders: Vec<Order>) -> Vec<Revenue> {
    let mut products: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    for order in orders {
        let (count, revenue) = products.entry(order.product).or_default();
        *count += 1;
        *revenue += order.quantity * order.price;
    }
    let row = |(product, (orders, revenue))| Revenue {
        product,
        orders,
        revenue,
    };
    products.into_iter().map(row).collect()
}
