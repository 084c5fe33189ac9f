use std::time::Duration;

use precip_engine::settings::Secret;
use precip_io::IntoAsset;

use super::*;

mod fakesnow;

fn address(partition: Option<&str>, attempt: u32) -> Address {
    Address {
        asset: "raw/flights".parse().unwrap(),
        partition: partition.map(Into::into),
        run: "01JDC0Z5V9M3T8Q4W2X7Y6R1KA".parse().unwrap(),
        attempt,
    }
}

/// What an error says, with its causes.
fn whole(error: IoError) -> String {
    let mut said = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        said.push_str(&format!(": {error}"));
        cause = error.source();
    }
    said
}

#[tokio::test]
async fn a_key_that_is_none_is_said_and_not_shown() {
    let key =
        Secret::new("-----BEGIN PRIVATE KEY-----\nbm9uZQ==\n-----END PRIVATE KEY-----".to_owned());
    let connection = SnowflakeConnection::with_key_pair("org-account", "PRECIP", "D", key, None);
    let manager = SnowflakeIoManager::new(connection).unwrap();
    let value = "text".to_owned().into_asset().unwrap();
    let refused = manager.store(&address(None, 1), value).await.unwrap_err();
    let refused = whole(refused);
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
async fn what_is_not_in_reach_is_an_error_that_may_pass() {
    let url = "http://127.0.0.1:9".parse().unwrap();
    let password = Secret::new("hunter2".to_owned());
    let connection = SnowflakeConnection::with_password("org-account", "PRECIP", "D", password);
    let manager = SnowflakeIoManager::new(connection.url(url)).unwrap();
    let everything = LoadRequest::everything();
    let of = address(Some("2013-01-01"), 1);
    let loaded = manager.load(&of, "raw/flights?2013-01-01", &everything);
    let failed = tokio::time::timeout(Duration::from_secs(60), loaded).await;
    let failed = failed.unwrap().unwrap_err();
    assert!(matches!(failed, IoError::Failed { .. }), "{failed:?}");
    let shown = format!("{failed:?} {manager:?}") + &whole(failed);
    assert!(shown.contains("partition `2013-01-01`"), "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");
}
