//! Two assets, materialized in memory: `cargo run -p precip --example one_asset`.

#![expect(clippy::print_stdout, reason = "an example prints its result")]

use precip::{
    prelude::*,
    testing::{TestError, materialize},
};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Order {
    customer: String,
    cents: i64,
}

/// All orders, as received.
#[asset]
fn orders() -> Vec<Order> {
    let order = |customer: &str, cents| Order {
        customer: customer.to_owned(),
        cents,
    };
    vec![order("ann", 1_250), order("bob", 300), order("ann", 450)]
}

/// The revenue of all orders. The parameter's name is the upstream asset.
#[asset]
fn revenue(orders: Vec<Order>) -> Output<i64> {
    let cents = orders.iter().map(|order| order.cents).sum();
    Output::new(cents).metadata("orders", orders.len())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), TestError> {
    // A real project passes its definitions to `precip::main`.
    let definitions = Definitions::builder().asset::<orders>().asset::<revenue>();
    let run = materialize(definitions).run().await?;

    assert!(run.success());
    let cents: i64 = run.value::<revenue, _>(None).await?;
    assert_eq!(cents, 2_000);
    println!("{} assets materialized, revenue {cents} cents", run.count());
    Ok(())
}
