//! [`S3Files`].

use std::error::Error;

use async_trait::async_trait;
use aws_sdk_s3::{
    Client,
    error::{DisplayErrorContext, ProvideErrorMetadata, SdkError},
    primitives::ByteStream,
};
use precip_engine::machine::{FileError, RunFiles};

/// The files of runs in a bucket.
#[derive(Debug, Clone)]
pub struct S3Files {
    client: Client,
    bucket: String,
}

impl S3Files {
    /// Keeps files in a bucket.
    pub fn new(client: Client, bucket: impl Into<String>) -> Self {
        Self {
            client,
            bucket: bucket.into(),
        }
    }

    fn failed<E>(&self, verb: &str, key: &str, error: SdkError<E>) -> FileError
    where
        E: Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        let code = error.code().unwrap_or_default();
        let retryable = match &error {
            SdkError::ServiceError(answer) => {
                answer.raw().status().is_server_error()
                    || matches!(
                        code,
                        "SlowDown" | "RequestTimeout" | "ConditionalRequestConflict"
                    )
            }
            SdkError::ConstructionFailure(_) => false,
            _ => true,
        };
        let help = match code {
            "NoSuchBucket" => ": the bucket is not there; deploy the stack, or name its bucket",
            "AccessDenied" => {
                ": the role may not; deploy the functions with the generated template"
            }
            _ => "",
        };
        FileError {
            message: format!("failed to {verb} `s3://{}/{key}`{help}", self.bucket),
            retryable,
            source: Some(DisplayErrorContext(error).to_string().into()),
        }
    }
}

/// Whether S3 refused to write since the object is there already.
fn is_there<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    error.code() == Some("PreconditionFailed")
}

#[async_trait]
impl RunFiles for S3Files {
    async fn create(&self, key: &str, content: Vec<u8>) -> Result<bool, FileError> {
        let put = self.client.put_object().bucket(&self.bucket).key(key);
        let put = put.if_none_match("*").body(ByteStream::from(content));
        match put.send().await {
            Ok(_) => Ok(true),
            Err(error) if is_there(&error) => Ok(false),
            Err(error) => Err(self.failed("write", key, error)),
        }
    }

    async fn write(&self, key: &str, content: Vec<u8>) -> Result<(), FileError> {
        let put = self.client.put_object().bucket(&self.bucket).key(key);
        let put = put.body(ByteStream::from(content)).send().await;
        put.map(drop)
            .map_err(|error| self.failed("write", key, error))
    }

    async fn read(&self, key: &str) -> Result<Option<Vec<u8>>, FileError> {
        let get = self.client.get_object().bucket(&self.bucket).key(key);
        let object = match get.send().await {
            Ok(object) => object,
            Err(error) if error.code() == Some("NoSuchKey") => return Ok(None),
            Err(error) => return Err(self.failed("read", key, error)),
        };
        let content = object.body.collect().await.map_err(|error| FileError {
            message: format!("failed to read `s3://{}/{key}`", self.bucket),
            retryable: true,
            source: Some(error.into()),
        })?;
        Ok(Some(content.to_vec()))
    }
}
