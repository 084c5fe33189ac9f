//! [`SecretsManager`].

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use aws_sdk_secretsmanager::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::get_secret_value::GetSecretValueError,
};
use precip_engine::settings::{
    ProcessEnvironment, Secret, SettingReadError, SettingReader, SettingRef,
};

use crate::error::{ErrorClass, LOG_IN};

/// A reader of settings: `env(..)` from the process, and `secret(..)` from AWS Secrets Manager by the
/// secret's name or ARN.
///
/// A secret is fetched once per process, so a rotated one is seen by processes that start afterwards.
/// A missing secret is looked up again each time.
pub struct SecretsManager {
    client: Client,
    cached: Mutex<BTreeMap<String, Secret>>,
}

impl SecretsManager {
    /// Reads secrets through a client.
    pub fn new(client: Client) -> Self {
        Self {
            client,
            cached: Mutex::default(),
        }
    }

    fn cached_secret(&self, name: &str) -> Option<String> {
        let cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        cached.get(name).map(|value| value.expose().clone())
    }

    async fn find_secret(&self, name: &str) -> Result<Option<String>, SettingReadError> {
        if let Some(value) = self.cached_secret(name) {
            return Ok(Some(value));
        }
        let get = self.client.get_secret_value().secret_id(name);
        let answer = match get.send().await {
            Ok(answer) => answer,
            Err(error) if ErrorClass::of_sdk_error(&error) == ErrorClass::NotFound => {
                return Ok(None);
            }
            Err(error) => {
                return Err(SettingReadError {
                    reason: describe_failure(name, &error),
                });
            }
        };
        let Some(value) = answer.secret_string() else {
            // Settings are text: a binary secret cannot be one.
            return Err(SettingReadError {
                reason: format!(
                    "secret `{name}` is binary: store it as text (`aws secretsmanager \
                     put-secret-value --secret-string ..`)"
                ),
            });
        };
        let mut cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        cached.insert(name.to_owned(), Secret::new(value.to_owned()));
        Ok(Some(value.to_owned()))
    }
}

/// Describes a failed lookup by the service's code only: messages of the service can quote the
/// request.
fn describe_failure(name: &str, error: &SdkError<GetSecretValueError>) -> String {
    let hint = match (ErrorClass::of_sdk_error(error), error.code()) {
        (ErrorClass::AccessDenied, _) => {
            "give this role `secretsmanager:GetSecretValue` on it, and `kms:Decrypt` if it has a \
             key of its own"
        }
        (ErrorClass::Credentials, _) => LOG_IN,
        (_, Some("DecryptionFailure")) => "give this role `kms:Decrypt` on the key of the secret",
        (_, Some("InvalidRequestException")) => "it is scheduled for deletion: restore it",
        (_, Some(_)) => "try again, and check the state of Secrets Manager in this region",
        (_, None) => "check the region, the credentials and the network (a VPC needs an endpoint)",
    };
    let code = error.code().unwrap_or("no answer from Secrets Manager");
    format!("secret `{name}`: {code}; {hint}")
}

impl fmt::Debug for SecretsManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretsManager").finish_non_exhaustive()
    }
}

#[async_trait]
impl SettingReader for SecretsManager {
    async fn read_setting(
        &self,
        reference: &SettingRef,
    ) -> Result<Option<String>, SettingReadError> {
        match reference {
            SettingRef::Variable(_) => ProcessEnvironment.read_setting(reference).await,
            SettingRef::Secret(name) => self.find_secret(name).await,
        }
    }
}
