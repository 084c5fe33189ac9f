//! [`S3Files`].

use std::error::Error;

use async_trait::async_trait;
use aws_sdk_s3::{
    Client,
    error::{DisplayErrorContext, ProvideErrorMetadata, SdkError},
    primitives::ByteStream,
};
use precip_engine::machine::{FileError, RunFiles};

use crate::error::ErrorClass;

/// The files of runs in a bucket.
#[derive(Debug, Clone)]
pub struct S3Files {
    client: Client,
    bucket: String,
}

impl S3Files {
    /// Stores files in a bucket.
    pub fn new(client: Client, bucket: impl Into<String>) -> Self {
        Self {
            client,
            bucket: bucket.into(),
        }
    }

    fn file_error<E>(&self, verb: &str, key: &str, error: SdkError<E>) -> FileError
    where
        E: Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        let class = ErrorClass::of_sdk_error(&error);
        let help = match (class, error.code()) {
            (_, Some("NoSuchBucket")) => {
                ": the bucket does not exist; deploy the stack, or set PRECIP_BUCKET to its bucket"
            }
            (ErrorClass::AccessDenied, _) => {
                ": the role lacks the right; deploy the functions with the generated template"
            }
            (ErrorClass::Credentials, _) => ": the credentials are missing, wrong or expired",
            _ => "",
        };
        FileError {
            message: format!("failed to {verb} `s3://{}/{key}`{help}", self.bucket),
            retryable: class.is_retryable(),
            source: Some(DisplayErrorContext(error).to_string().into()),
        }
    }
}

/// Returns `true` if S3 refused to create an object because it exists.
fn object_exists<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    error.code() == Some("PreconditionFailed")
}

#[async_trait]
impl RunFiles for S3Files {
    async fn create_file(&self, key: &str, content: Vec<u8>) -> Result<bool, FileError> {
        let put = self.client.put_object().bucket(&self.bucket).key(key);
        let create = put.if_none_match("*").body(ByteStream::from(content));
        match create.send().await {
            Ok(_) => Ok(true),
            Err(error) if object_exists(&error) => Ok(false),
            Err(error) => Err(self.file_error("write", key, error)),
        }
    }

    async fn write_file(&self, key: &str, content: Vec<u8>) -> Result<(), FileError> {
        let put = self.client.put_object().bucket(&self.bucket).key(key);
        let answer = put.body(ByteStream::from(content)).send().await;
        answer
            .map(drop)
            .map_err(|error| self.file_error("write", key, error))
    }

    async fn read_file(&self, key: &str) -> Result<Option<Vec<u8>>, FileError> {
        let get = self.client.get_object().bucket(&self.bucket).key(key);
        let object = match get.send().await {
            Ok(object) => object,
            Err(error) if error.code() == Some("NoSuchKey") => return Ok(None),
            Err(error) => return Err(self.file_error("read", key, error)),
        };
        let content = object.body.collect().await.map_err(|error| FileError {
            message: format!("failed to read `s3://{}/{key}`", self.bucket),
            retryable: true,
            source: Some(error.into()),
        })?;
        Ok(Some(content.to_vec()))
    }
}
