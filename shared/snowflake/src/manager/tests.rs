use std::time::Duration;

use precip_engine::settings::Secret;
use precip_io::{
    IntoAsset,
    conformance::testing::{address_of, error_chain},
};

use super::*;

mod fakesnow;

#[tokio::test]
async fn an_invalid_key_is_an_error_that_does_not_show_it() {
    let key =
        Secret::new("-----BEGIN PRIVATE KEY-----\nbm9uZQ==\n-----END PRIVATE KEY-----".to_owned());
    let connection = SnowflakeConnection::with_key_pair("org-account", "PRECIP", "D", key, None);
    let manager = SnowflakeIoManager::new(connection).unwrap();
    let value = "text".to_owned().into_asset().unwrap();
    let error = manager
        .store(&address_of("raw/flights", None, 1), value)
        .await
        .unwrap_err();
    let refused = error_chain(&error);
    assert!(
        refused.starts_with(
            "asset `raw/flights`: failed to store it in Snowflake's database `D` in account \
             `org-account` as `PRECIP`: "
        ),
        "{refused}"
    );
    assert!(refused.contains("key"), "{refused}");
    assert!(!refused.contains("bm9uZQ"), "{refused}");
}

#[tokio::test]
async fn an_unreachable_account_is_a_retryable_error() {
    let url = "http://127.0.0.1:9".parse().unwrap();
    let password = Secret::new("hunter2".to_owned());
    let connection = SnowflakeConnection::with_password("org-account", "PRECIP", "D", password);
    let manager = SnowflakeIoManager::new(connection.url(url)).unwrap();
    let everything = LoadRequest::everything();
    let address = address_of("raw/flights", Some("2013-01-01"), 1);
    let loaded = manager.load(&address, "raw/flights?2013-01-01", &everything);
    let failed = tokio::time::timeout(Duration::from_secs(60), loaded)
        .await
        .unwrap()
        .unwrap_err();
    assert!(matches!(failed, IoError::Failed { .. }), "{failed:?}");
    let shown = format!("{failed:?} {manager:?}") + &error_chain(&failed);
    assert!(shown.contains("partition `2013-01-01`"), "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");
}
