//! [`Credentials`].

use std::time::{Duration, SystemTime};

use aws_sdk_sfn::config::{Credentials as Keys, ProvideCredentials, SharedCredentialsProvider};
use tokio::sync::Mutex;

use crate::{Aws, error::LOG_IN};

/// The time before their expiry at which credentials are renewed.
const MARGIN: Duration = Duration::from_secs(60);

/// The credentials of the process, for clients outside the AWS SDK. They are fetched once, and again
/// before they expire.
#[derive(Debug)]
pub struct Credentials {
    provider: Option<SharedCredentialsProvider>,
    cached: Mutex<Option<Keys>>,
}

impl Credentials {
    /// Uses the credentials that the SDK finds: environment variables, the profile, the role.
    pub fn new(aws: &Aws) -> Self {
        Self {
            provider: aws.config().credentials_provider(),
            cached: Mutex::default(),
        }
    }

    /// Returns credentials that are valid now: access key id, secret access key, session token.
    ///
    /// # Errors
    /// Says why no credentials were found and how to get some; never contains a key.
    pub async fn get(&self) -> Result<(String, String, Option<String>), String> {
        let mut cached = self.cached.lock().await;
        // The lock is held while credentials are fetched, so concurrent callers fetch them once.
        if !cached.as_ref().is_some_and(is_good) {
            *cached = Some(self.fetch_keys().await?);
        }
        let keys = cached.as_ref().ok_or_else(no_credentials)?;
        Ok((
            keys.access_key_id().to_owned(),
            keys.secret_access_key().to_owned(),
            keys.session_token().map(str::to_owned),
        ))
    }

    async fn fetch_keys(&self) -> Result<Keys, String> {
        let provider = self.provider.as_ref().ok_or_else(no_credentials)?;
        let keys = provider.provide_credentials().await;
        keys.map_err(|error| format!("{error}; {LOG_IN}"))
    }
}

fn no_credentials() -> String {
    format!("there are no credentials; {LOG_IN}")
}

fn is_good(keys: &Keys) -> bool {
    // Keys without an expiry, such as those of a user, stay valid.
    keys.expiry()
        .is_none_or(|expiry| expiry > SystemTime::now() + MARGIN)
}
