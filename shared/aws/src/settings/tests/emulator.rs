use std::env;

use aws_config::{BehaviorVersion, SdkConfig};
use precip_engine::settings::{Setting, SettingReader, SettingRef, secret};

use crate::{Aws, settings::SecretsManager};

async fn config() -> SdkConfig {
    let endpoint = env::var("PRECIP_TEST_AWS_ENDPOINT")
        .expect("these tests run under `tests/emulator cargo nextest run -p precip-aws`");
    let config = aws_config::defaults(BehaviorVersion::latest()).endpoint_url(endpoint);
    config.load().await
}

#[tokio::test]
async fn a_secret_is_read_once_and_its_absence_every_time() {
    let aws = Aws::new(config().await);
    let client = aws.secrets_manager();
    let reader = SecretsManager::new(client.clone());
    let name = "read-once/password";
    let reference = SettingRef::Secret(name.to_owned());
    assert_eq!(reader.read(&reference).await, Ok(None));
    let problem = Setting::read(&secret(name), &reader).await.unwrap_err();
    assert_eq!(problem.to_string(), format!("secret `{name}` is not set"));
    let create = client.create_secret().name(name).secret_string("hunter2");
    create.send().await.unwrap();
    assert_eq!(
        reader.read(&reference).await,
        Ok(Some("hunter2".to_owned()))
    );
    let change = client.put_secret_value().secret_id(name);
    change.secret_string("hunter3").send().await.unwrap();
    assert_eq!(
        reader.read(&reference).await,
        Ok(Some("hunter2".to_owned()))
    );
    let other = SecretsManager::new(client);
    assert_eq!(other.read(&reference).await, Ok(Some("hunter3".to_owned())));
    assert!(!format!("{reader:?}").contains("hunter"));
}

#[tokio::test]
async fn a_variable_is_read_from_the_process() {
    let aws = Aws::new(config().await);
    let reader = SecretsManager::new(aws.secrets_manager());
    let path = SettingRef::Variable("PATH".to_owned());
    assert_eq!(reader.read(&path).await, Ok(env::var("PATH").ok()));
}

#[tokio::test]
async fn a_secret_that_cannot_be_read_is_named_with_what_to_check() {
    let config = config().await.into_builder();
    let config = config
        .endpoint_url("http://127.0.0.1:9")
        .retry_config(aws_config::retry::RetryConfig::disabled())
        .build();
    let reader = SecretsManager::new(Aws::new(config).secrets_manager());
    let reference = SettingRef::Secret("warehouse/password".to_owned());
    let error = reader.read(&reference).await.unwrap_err();
    let said = error.to_string();
    assert!(
        said.contains("secret `warehouse/password`: no answer"),
        "{said}"
    );
    assert!(said.contains("check the region"), "{said}");
}
