//! A test with a mock resource, a check and a failure: `cargo run -p precip --example testing`.

#![expect(clippy::print_stdout, reason = "an example prints its result")]
#![expect(clippy::borrowed_box, reason = "a resource has a sized type")]

use precip::{
    prelude::*,
    testing::{TestError, materialize},
};

/// The source of exchange rates. Production code has a client here, tests a mock.
trait Rates: Send + Sync {
    fn dollars_per_euro(&self) -> Result<f64, AssetError>;
}

struct FixedRates(f64);

impl Rates for FixedRates {
    fn dollars_per_euro(&self) -> Result<f64, AssetError> {
        Ok(self.0)
    }
}

struct Unavailable;

impl Rates for Unavailable {
    fn dollars_per_euro(&self) -> Result<f64, AssetError> {
        // A terminal error is not retried.
        Err("the rates are unavailable").terminal()
    }
}

#[asset]
fn euros() -> Vec<f64> {
    vec![10.0, 20.0]
}

#[asset]
fn dollars(euros: Vec<f64>, #[resource] rates: &Box<dyn Rates>) -> Result<Vec<f64>, AssetError> {
    let rate = rates.dollars_per_euro()?;
    Ok(euros.iter().map(|euro| euro * rate).collect())
}

/// No amount is negative.
#[asset_check(asset = dollars, blocking)]
fn not_negative(dollars: Vec<f64>) -> bool {
    dollars.iter().all(|amount| *amount >= 0.0)
}

fn project(rates: impl Rates + 'static) -> precip::DefinitionsBuilder {
    let boxed: Box<dyn Rates> = Box::new(rates);
    Definitions::builder()
        .asset::<euros>()
        .asset::<dollars>()
        .check::<not_negative>()
        .resource("rates", boxed)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), TestError> {
    let run = materialize(project(FixedRates(1.1))).run().await?;
    assert!(run.success());
    println!("dollars: {:?}", run.value::<dollars, Vec<f64>>(None).await?);
    let checks = run.checks::<dollars>(None).await?;
    println!("checks passed: {}", checks.len());

    // Without rates, `dollars` fails and `euros` is materialized all the same.
    let run = materialize(project(Unavailable)).run().await?;
    assert!(!run.success());
    assert_eq!(run.count(), 1);
    println!("failure: {}", run.failures()[0].message);
    Ok(())
}
