use std::collections::BTreeMap;

use precip_engine::{
    definitions::Environment,
    settings::{env, secret},
};

use super::*;
use crate::SnowflakeIoManager;

const KEY: &str = "-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----";

fn test_settings(login: SnowflakeLogin) -> SnowflakeSettings {
    let settings = SnowflakeSettings::new(
        env("SNOWFLAKE_ACCOUNT"),
        env("SNOWFLAKE_USER"),
        env("SNOWFLAKE_DATABASE"),
        login,
    );
    settings
        .schema(env("SNOWFLAKE_SCHEMA").or("RAW"))
        .warehouse(env("SNOWFLAKE_WAREHOUSE"))
        .role(env("SNOWFLAKE_ROLE"))
        .url(env("SNOWFLAKE_URL").parse())
}

fn test_values() -> BTreeMap<String, String> {
    let values = [
        ("SNOWFLAKE_ACCOUNT", "org-account"),
        ("SNOWFLAKE_USER", "PRECIP"),
        ("SNOWFLAKE_DATABASE", "FLIGHTS"),
        ("SNOWFLAKE_WAREHOUSE", "LOADING"),
        ("SNOWFLAKE_ROLE", "LOADER"),
        ("SNOWFLAKE_URL", "https://private.link"),
        ("snowflake/key", KEY),
        ("snowflake/passphrase", "hunter2"),
    ];
    BTreeMap::from(values.map(|(name, value)| (name.to_owned(), value.to_owned())))
}

fn encrypted_key() -> SnowflakeLogin {
    SnowflakeLogin::key_pair(secret("snowflake/key"))
        .with_passphrase(secret("snowflake/passphrase"))
}

#[tokio::test]
async fn a_connection_is_read_and_its_secrets_are_not_shown() {
    let connection = test_settings(encrypted_key())
        .read_values(&test_values())
        .await
        .unwrap();
    assert_eq!(connection.schema, "RAW");
    assert_eq!(connection.role.as_deref(), Some("LOADER"));
    let shown = format!("{connection:?} {}", connection.name());
    assert!(shown.contains("org-account"), "{shown}");
    for hidden in ["secret", "hunter2"] {
        assert!(!shown.contains(hidden), "{shown}");
    }
}

#[tokio::test]
async fn missing_settings_are_named_with_their_io_manager() {
    let prod = Environment::new("prod").io_manager_from(
        "warehouse",
        test_settings(encrypted_key()),
        SnowflakeIoManager::connect,
    );
    let mut values = test_values();
    // Two settings are missing, and one is malformed.
    values.remove("SNOWFLAKE_USER");
    values.remove("snowflake/passphrase");
    values.insert("SNOWFLAKE_URL".to_owned(), "nowhere".to_owned());
    let problems = prod.check_settings(&values).await;
    let problems: Vec<String> = problems
        .iter()
        .map(|(by, problem)| format!("{by}: {problem}"))
        .collect();
    assert_eq!(
        problems,
        [
            "IO manager `warehouse`: environment variable `SNOWFLAKE_USER` is not set",
            "IO manager `warehouse`: secret `snowflake/passphrase` is not set",
            // A URL may contain a password, so that its value is not shown.
            "IO manager `warehouse`: environment variable `SNOWFLAKE_URL` has an invalid value, which is \
             not shown: relative URL without a base",
        ]
    );
    assert_eq!(prod.settings().count(), 9);
}

#[tokio::test]
async fn a_key_may_be_in_a_file() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("key.p8");
    std::fs::write(&file, KEY).unwrap();
    let login = || test_settings(SnowflakeLogin::key_file(env("SNOWFLAKE_KEY_FILE")));
    let mut values = test_values();
    values.insert("SNOWFLAKE_KEY_FILE".to_owned(), file.display().to_string());
    let connection = login().read_values(&values).await.unwrap();
    match &connection.proof {
        Proof::KeyPair { pem, passphrase } => {
            assert_eq!(pem.expose(), KEY);
            assert_eq!(*passphrase, None);
        }
        Proof::Password(_) => panic!("a key is not a password"),
    }
    // A missing file is a problem of the setting that names it.
    std::fs::remove_file(&file).unwrap();
    let problems = login().read_values(&values).await.unwrap_err();
    let [problem] = problems.as_slice() else {
        panic!("{problems:?}");
    };
    let message = problem.to_string();
    assert!(message.contains("`SNOWFLAKE_KEY_FILE` is `"), "{message}");
    assert!(
        message.contains("key.p8`, a private key that cannot be read"),
        "{message}"
    );
}
