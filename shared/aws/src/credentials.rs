//! [`Credentials`].

use std::time::{Duration, SystemTime};

use aws_sdk_sfn::config::{Credentials as Keys, ProvideCredentials, SharedCredentialsProvider};
use tokio::sync::Mutex;

use crate::{Aws, launch::LOG_IN};

/// How long before they expire credentials are asked for anew.
const MARGIN: Duration = Duration::from_secs(60);

/// The credentials of the process, for what does not go through the AWS SDK. They are asked for once,
/// and again before they expire.
#[derive(Debug)]
pub struct Credentials {
    provider: Option<SharedCredentialsProvider>,
    known: Mutex<Option<Keys>>,
}

impl Credentials {
    /// Takes what the SDK finds: environment variables, the profile, the role.
    pub fn new(aws: &Aws) -> Self {
        Self {
            provider: aws.config().credentials_provider(),
            known: Mutex::default(),
        }
    }

    /// Credentials that are good now: access key id, secret access key, session token.
    ///
    /// # Errors
    /// Why there are none, and what to do; never a key.
    pub async fn get(&self) -> Result<(String, String, Option<String>), String> {
        let mut known = self.known.lock().await;
        if !known.as_ref().is_some_and(is_good) {
            *known = Some(self.ask().await?);
        }
        let keys = known.as_ref().ok_or_else(none)?;
        Ok((
            keys.access_key_id().to_owned(),
            keys.secret_access_key().to_owned(),
            keys.session_token().map(str::to_owned),
        ))
    }

    async fn ask(&self) -> Result<Keys, String> {
        let provider = self.provider.as_ref().ok_or_else(none)?;
        let keys = provider.provide_credentials().await;
        keys.map_err(|error| format!("{error}; {LOG_IN}"))
    }
}

fn none() -> String {
    format!("there are no credentials; {LOG_IN}")
}

fn is_good(keys: &Keys) -> bool {
    keys.expiry()
        .is_none_or(|expiry| expiry > SystemTime::now() + MARGIN)
}
