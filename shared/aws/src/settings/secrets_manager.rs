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

/// Reads `env(..)` from the process and `secret(..)` from AWS Secrets Manager, by the secret's name or
/// ARN. A secret is asked for once a process: one that is rotated is seen by the processes that start
/// afterwards. Secrets that are not there are asked for again.
pub struct SecretsManager {
    client: Client,
    known: Mutex<BTreeMap<String, Secret>>,
}

impl SecretsManager {
    /// Reads secrets through a client.
    pub fn new(client: Client) -> Self {
        Self {
            client,
            known: Mutex::default(),
        }
    }

    fn known(&self, name: &str) -> Option<String> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(name).map(|value| value.expose().clone())
    }

    async fn secret(&self, name: &str) -> Result<Option<String>, SettingReadError> {
        if let Some(value) = self.known(name) {
            return Ok(Some(value));
        }
        let answer = self.client.get_secret_value().secret_id(name).send().await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(SdkError::ServiceError(error))
                if matches!(
                    error.err(),
                    GetSecretValueError::ResourceNotFoundException(_)
                ) =>
            {
                return Ok(None);
            }
            Err(error) => {
                return Err(SettingReadError {
                    reason: refused(name, &error),
                });
            }
        };
        let Some(value) = answer.secret_string() else {
            return Err(SettingReadError {
                reason: format!(
                    "secret `{name}` is binary: store it as text (`aws secretsmanager \
                     put-secret-value --secret-string ..`)"
                ),
            });
        };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(name.to_owned(), Secret::new(value.to_owned()));
        Ok(Some(value.to_owned()))
    }
}

/// Says what went wrong by the service's code only: messages of the service can quote the request.
fn refused<R>(name: &str, error: &SdkError<GetSecretValueError, R>) -> String {
    let hint = match error.code() {
        Some("AccessDeniedException") => {
            "give this role `secretsmanager:GetSecretValue` on it, and `kms:Decrypt` if it has a \
             key of its own"
        }
        Some("DecryptionFailure") => "give this role `kms:Decrypt` on the key of the secret",
        Some("InvalidRequestException") => "it is scheduled for deletion: restore it",
        Some(_) => "try again, and look at the state of Secrets Manager in this region",
        None => "check the region, the credentials and the network (a VPC needs an endpoint)",
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
    async fn read(&self, reference: &SettingRef) -> Result<Option<String>, SettingReadError> {
        match reference {
            SettingRef::Variable(_) => ProcessEnvironment.read(reference).await,
            SettingRef::Secret(name) => self.secret(name).await,
        }
    }
}
