//! Buckets of S3, with whoever's credentials.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use object_store::{
    CredentialProvider, ObjectStore,
    aws::{AmazonS3Builder, AmazonS3ConfigKey, AwsCredential},
    path::Path,
};

use super::{InvalidLocation, ObjectStoreIoManager, s3_client::WhenUsed};

/// What requests to S3 are signed with.
#[derive(Clone, PartialEq, Eq)]
pub struct S3Keys {
    /// The access key id.
    pub id: String,
    /// The secret access key.
    pub secret: String,
    /// The session token of credentials that expire.
    pub session: Option<String>,
}

impl fmt::Debug for S3Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Keys")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// Who has the credentials. It is asked before every request, and answers from memory as long as they
/// are good.
#[async_trait]
pub trait S3Credentials: fmt::Debug + Send + Sync {
    /// Credentials that are good now.
    ///
    /// # Errors
    /// Why there are none, and what to do; never a key.
    async fn keys(&self) -> Result<S3Keys, String>;
}

impl ObjectStoreIoManager {
    /// Uses a folder of a bucket with credentials that the environment does not hold, such as those
    /// of a profile. Everything else is read from the environment, as
    /// [`open`](ObjectStoreIoManager::open) does.
    ///
    /// # Errors
    /// [`InvalidLocation`] when the bucket or the environment makes no sense.
    pub fn in_bucket(
        bucket: &str,
        folder: &str,
        region: Option<&str>,
        credentials: Arc<dyn S3Credentials>,
    ) -> Result<Self, InvalidLocation> {
        let location = format!("s3://{bucket}/{folder}");
        let mut builder =
            AmazonS3Builder::from_env().with_credentials(Arc::new(Provider(credentials)));
        if let Some(region) = region {
            builder = builder.with_region(region);
        }
        match store(builder, bucket) {
            Ok(store) => Ok(Self::new(store, Path::from(folder), location)),
            Err(problem) => Err(InvalidLocation { location, problem }),
        }
    }
}

/// A bucket, as a builder that has read the environment knows it.
pub(super) fn store(
    builder: AmazonS3Builder,
    bucket: &str,
) -> Result<Arc<dyn ObjectStore>, String> {
    let builder = builder.with_bucket_name(bucket);
    // The store of AWS itself is never reached without TLS; an emulator may be.
    let plain = [AmazonS3ConfigKey::S3Endpoint, AmazonS3ConfigKey::Endpoint]
        .iter()
        .find_map(|key| builder.get_config_value(key))
        .is_some_and(|endpoint| endpoint.starts_with("http://"));
    let builder = builder.with_http_connector(WhenUsed);
    let store = builder.with_allow_http(plain).build();
    Ok(Arc::new(store.map_err(|error| error.to_string())?))
}

#[derive(Debug)]
struct Provider(Arc<dyn S3Credentials>);

#[async_trait]
impl CredentialProvider for Provider {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let keys = self.0.keys().await;
        let keys = keys.map_err(|reason| object_store::Error::Unauthenticated {
            path: String::new(),
            source: reason.into(),
        })?;
        Ok(Arc::new(AwsCredential {
            key_id: keys.id,
            secret_key: keys.secret,
            token: keys.session,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_never_shown() {
        let keys = S3Keys {
            id: "AKIA".to_owned(),
            secret: "SECRET".to_owned(),
            session: Some("SESSION".to_owned()),
        };
        let shown = format!("{keys:?}");
        assert!(shown.contains("AKIA"), "{shown}");
        assert!(
            !shown.contains("SECRET") && !shown.contains("SESSION"),
            "{shown}"
        );
    }
}
