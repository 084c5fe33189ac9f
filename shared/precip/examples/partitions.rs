//! Daily partitions and a monthly summary: `cargo run -p precip --example partitions`.

#![expect(clippy::print_stdout, reason = "an example prints its result")]

use precip::{
    prelude::*,
    testing::{TestError, materialize},
};

static DAILY: LazyPartitions = partitions!(daily(start = "2024-01-01"));
static MONTHLY: LazyPartitions = partitions!(monthly(start = "2024-01-01"));

/// The number of visitors of a day.
#[asset(partitions = DAILY)]
fn visitors(context: &AssetContext) -> Result<Vec<i64>, AssetError> {
    let window = context.partition_window()?;
    Ok(vec![window.start.timestamp() / 86_400 % 7 * 100])
}

/// The visitors of a month. Overlapping windows correspond, so it receives all days of the month.
#[asset(partitions = MONTHLY)]
fn visitors_of_month(visitors: Partitions<Vec<i64>>) -> Json<Vec<i64>> {
    let sum = visitors.values().flatten().sum();
    Json(vec![visitors.len() as i64, sum])
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), TestError> {
    let definitions = Definitions::builder()
        .asset::<visitors>()
        .asset::<visitors_of_month>();
    // The range names days. The downstream asset gets the months made of them.
    let run = materialize(definitions)
        .partitions("2024-01-01...2024-02-29")
        .run()
        .await?;
    assert!(run.success());

    for month in ["2024-01-01", "2024-02-01"] {
        let Json(month_row) = run
            .value::<visitors_of_month, Json<Vec<i64>>>(Some(month))
            .await?;
        println!("{month}: {} days, {} visitors", month_row[0], month_row[1]);
    }
    println!("{} partitions materialized", run.count());
    Ok(())
}
