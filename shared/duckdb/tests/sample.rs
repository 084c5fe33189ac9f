//! The sample project gives the same wherever its data is: in memory, in Parquet files, in DuckDB.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use flights::{
    assets::{marts::carrier_month, raw, staging},
    landing::Landing,
    rows::CarrierMonth,
};
use precip::{io::ObjectStoreIoManager, prelude::*, testing};
use precip_duckdb::DuckDbIoManager;

/// What the days of January come to, and what their checks say, with the data in some place.
async fn january(environment: Environment) -> (Vec<CarrierMonth>, Vec<String>) {
    let landing = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events/landing");
    let environment = environment.resource("landing", Landing::new(landing).unwrap());
    let project = Definitions::builder()
        .asset::<raw::flights>()
        .asset::<raw::weather>()
        .asset::<raw::reference>()
        .asset::<staging::delays>()
        .asset::<carrier_month>()
        .environment(environment);
    let run = testing::materialize(project)
        .select("+key:carrier_month")
        .partitions("2013-01-01...2013-01-31")
        .run()
        .await
        .unwrap();
    assert!(run.success(), "{:?}", run.failures());
    let month = run.value::<carrier_month, _>(Some("2013-01"));
    let checks = run.checks::<carrier_month>(Some("2013-01")).await.unwrap();
    let mut found: Vec<String> = checks
        .iter()
        .map(|check| {
            format!(
                "{:?} {:?} {:?}",
                check.check, check.outcome, check.description
            )
        })
        .collect();
    found.sort_unstable();
    (month.await.unwrap(), found)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_asset_code_knows_where_its_data_is() {
    let folder = tempfile::TempDir::new().unwrap();
    let duckdb = DuckDbIoManager::open(folder.path().join("flights.duckdb")).unwrap();
    let files = ObjectStoreIoManager::open(folder.path().join("files").to_str().unwrap()).unwrap();
    let in_memory = january(Environment::new("memory")).await;
    let (month, found) = &in_memory;
    assert_eq!(month.iter().map(|row| row.flights).sum::<i64>(), 27_004);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].contains("16 rows, expected"), "{found:?}");
    let in_files = january(Environment::new("local").io_manager("default", files)).await;
    assert_eq!(in_files, in_memory);
    let in_duckdb = january(Environment::new("local").io_manager("default", duckdb)).await;
    assert_eq!(in_duckdb, in_memory);
}
