//! The sample project gives the same wherever its data is: in Parquet files, or in Snowflake.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

/// What Snowflake's stand-in is needed for: `tests/snowflake COMMAND` says where it is.
mod fakesnow {
    use std::collections::BTreeMap;

    use flights::{
        assets::{marts::carrier_month, raw, staging},
        landing::Landing,
        rows::CarrierMonth,
    };
    use precip::{engine::settings::Settings, io::ObjectStoreIoManager, prelude::*, testing};
    use precip_snowflake::{SnowflakeIoManager, SnowflakeLogin, SnowflakeSettings};

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

    /// As a project says it in one place, with what its environment holds.
    async fn snowflake() -> SnowflakeIoManager {
        let settings = SnowflakeSettings::new(
            env("SNOWFLAKE_ACCOUNT").or("fakesnow"),
            env("SNOWFLAKE_USER"),
            env("SNOWFLAKE_DATABASE"),
            SnowflakeLogin::password(env("SNOWFLAKE_PASSWORD").secret()),
        )
        .url(env("PRECIP_TEST_SNOWFLAKE_URL").parse());
        let url = std::env::var("PRECIP_TEST_SNOWFLAKE_URL").unwrap();
        let values = [
            ("SNOWFLAKE_USER", "PRECIP".to_owned()),
            (
                "SNOWFLAKE_DATABASE",
                format!("SAMPLE_{}", std::process::id()),
            ),
            ("SNOWFLAKE_PASSWORD", "hunter2".to_owned()),
            ("PRECIP_TEST_SNOWFLAKE_URL", url),
        ];
        let values = values.map(|(name, value)| (name.to_owned(), value));
        let connection = settings.read(&BTreeMap::from(values)).await.unwrap();
        SnowflakeIoManager::connect(connection).await.unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn no_asset_code_knows_where_its_data_is() {
        let folder = tempfile::TempDir::new().unwrap();
        let files =
            ObjectStoreIoManager::open(folder.path().join("files").to_str().unwrap()).unwrap();
        let in_files = january(Environment::new("local").io_manager("default", files)).await;
        let (month, found) = &in_files;
        assert_eq!(month.iter().map(|row| row.flights).sum::<i64>(), 27_004);
        assert_eq!(found.len(), 2, "{found:?}");
        let prod = Environment::new("prod").io_manager("default", snowflake().await);
        assert_eq!(january(prod).await, in_files);
    }
}
