use std::env;

use precip_engine::settings::{Setting, SettingReader, SettingRef, secret};

use crate::{Aws, settings::SecretsManager, state::dynamo::harness::emulator_aws};

#[tokio::test]
async fn a_secret_is_read_once_and_its_absence_every_time() {
    let aws = emulator_aws().await;
    let client = aws.secrets_manager();
    let reader = SecretsManager::new(client.clone());
    let name = "read-once/password";
    let reference = SettingRef::Secret(name.to_owned());
    assert_eq!(reader.read_setting(&reference).await, Ok(None));
    let error = Setting::read_value(&secret(name), &reader)
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), format!("secret `{name}` is not set"));
    let create = client.create_secret().name(name).secret_string("hunter2");
    // Once found, the value is kept, also after a rotation; another reader sees the new one.
    create.send().await.unwrap();
    assert_eq!(
        reader.read_setting(&reference).await,
        Ok(Some("hunter2".to_owned()))
    );
    // A value that cannot be parsed is not shown.
    let typed = secret(name).parse::<u32>();
    let error = typed.read_value(&reader).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "secret `{name}` has an invalid value, which is not shown: it is not a valid `u32`"
        )
    );
    let change = client.put_secret_value().secret_id(name);
    change.secret_string("hunter3").send().await.unwrap();
    assert_eq!(
        reader.read_setting(&reference).await,
        Ok(Some("hunter2".to_owned()))
    );
    let other = SecretsManager::new(client);
    assert_eq!(
        other.read_setting(&reference).await,
        Ok(Some("hunter3".to_owned()))
    );
    assert!(!format!("{reader:?}").contains("hunter"));
}

#[tokio::test]
async fn a_variable_is_read_from_the_process() {
    let aws = emulator_aws().await;
    let reader = SecretsManager::new(aws.secrets_manager());
    let path = SettingRef::Variable("PATH".to_owned());
    assert_eq!(reader.read_setting(&path).await, Ok(env::var("PATH").ok()));
}

#[tokio::test]
async fn a_secret_that_cannot_be_read_is_named_with_what_to_check() {
    let config = emulator_aws().await.config().clone().into_builder();
    let unreachable = config
        .endpoint_url("http://127.0.0.1:9")
        .retry_config(aws_config::retry::RetryConfig::disabled())
        .build();
    let reader = SecretsManager::new(Aws::new(unreachable).secrets_manager());
    let reference = SettingRef::Secret("warehouse/password".to_owned());
    let error = reader.read_setting(&reference).await.unwrap_err();
    let message = error.to_string();
    assert!(
        message.contains("secret `warehouse/password`: no answer"),
        "{message}"
    );
    assert!(message.contains("check the region"), "{message}");
}
