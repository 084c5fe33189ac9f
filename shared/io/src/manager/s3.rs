//! S3 buckets with credentials of any source.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use object_store::{
    CredentialProvider, ObjectStore,
    aws::{AmazonS3Builder, AmazonS3ConfigKey, AwsCredential, Checksum},
    path::Path,
};

use super::{InvalidLocation, ObjectStoreIoManager, s3_client::LazyConnector};

/// The keys that sign requests to S3.
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

/// A source of credentials. It is called before every request, and returns cached keys while they are valid.
#[async_trait]
pub trait S3Credentials: fmt::Debug + Send + Sync {
    /// Returns keys that are valid now.
    ///
    /// # Errors
    /// The reason why there are none and what to do; never a key.
    async fn current_keys(&self) -> Result<S3Keys, String>;
}

impl ObjectStoreIoManager {
    /// Uses a folder of a bucket with credentials from outside of the environment, such as those of a
    /// profile. Everything else is read from the environment, as
    /// [`open`](ObjectStoreIoManager::open) does.
    ///
    /// # Errors
    /// [`InvalidLocation`] when the bucket or the environment is invalid.
    pub fn in_bucket(
        bucket: &str,
        folder: &str,
        region: Option<&str>,
        credentials: Arc<dyn S3Credentials>,
    ) -> Result<Self, InvalidLocation> {
        let location = format!("s3://{bucket}/{folder}");
        let mut builder =
            AmazonS3Builder::from_env().with_credentials(Arc::new(KeyProvider(credentials)));
        if let Some(region) = region {
            builder = builder.with_region(region);
        }
        match build_store(builder, bucket) {
            Ok(store) => Ok(Self::new(store, Path::from(folder), location)),
            Err(problem) => Err(InvalidLocation { location, problem }),
        }
    }
}

/// Builds the store of a bucket from a builder that has read the environment.
pub(super) fn build_store(
    builder: AmazonS3Builder,
    bucket: &str,
) -> Result<Arc<dyn ObjectStore>, String> {
    let builder = builder.with_bucket_name(bucket);
    // AWS itself is always reached by TLS; an emulator need not be.
    let allow_http = [AmazonS3ConfigKey::S3Endpoint, AmazonS3ConfigKey::Endpoint]
        .iter()
        .find_map(|key| builder.get_config_value(key))
        .is_some_and(|endpoint| endpoint.starts_with("http://"));
    let store = with_checksum(builder)
        .with_http_connector(LazyConnector)
        .with_allow_http(allow_http)
        .build();
    Ok(Arc::new(store.map_err(|error| error.to_string())?))
}

/// Sets the checksum of uploads, with which S3 compares the content, and which it keeps. The signature of a request
/// needs the same one, so it costs nothing. `AWS_CHECKSUM_ALGORITHM` names another.
fn with_checksum(builder: AmazonS3Builder) -> AmazonS3Builder {
    match builder.get_config_value(&AmazonS3ConfigKey::Checksum) {
        Some(_) => builder,
        None => builder.with_checksum_algorithm(Checksum::SHA256),
    }
}

#[derive(Debug)]
struct KeyProvider(Arc<dyn S3Credentials>);

#[async_trait]
impl CredentialProvider for KeyProvider {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let keys =
            self.0
                .current_keys()
                .await
                .map_err(|reason| object_store::Error::Unauthenticated {
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
    fn uploads_have_a_checksum() {
        let algorithm = |builder: AmazonS3Builder| {
            let builder = with_checksum(builder);
            builder.get_config_value(&AmazonS3ConfigKey::Checksum)
        };
        assert_eq!(algorithm(AmazonS3Builder::new()).as_deref(), Some("sha256"));
        let chosen = AmazonS3Builder::new().with_checksum_algorithm(Checksum::CRC64NVME);
        assert_eq!(algorithm(chosen).as_deref(), Some("crc64nvme"));
    }

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
