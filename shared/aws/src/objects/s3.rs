//! [`S3Objects`].

use async_trait::async_trait;
use aws_sdk_s3::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::list_objects_v2::ListObjectsV2Error,
    types::{EncodingType, Object},
};
use chrono::DateTime;
use precip_core::trigger::decode_key;
use precip_engine::trigger::{ListedObject, ObjectListing, ObjectPage};

use crate::error::{ErrorClass, describe};

/// A listing of the objects in buckets, by `ListObjectsV2`.
#[derive(Debug, Clone)]
pub struct S3Objects {
    client: Client,
    page_size: Option<i32>,
}

impl S3Objects {
    /// Lists objects with a client.
    pub fn new(client: Client) -> Self {
        Self {
            client,
            page_size: None,
        }
    }

    /// Sets the number of objects per page; the default is S3's maximum of 1,000.
    #[must_use]
    pub fn with_page_size(self, page_size: u16) -> Self {
        Self {
            page_size: Some(page_size.into()),
            ..self
        }
    }
}

/// Describes a failed listing, with what to do where that is known.
fn describe_failure(bucket: &str, error: &SdkError<ListObjectsV2Error>) -> String {
    match (ErrorClass::of_sdk_error(error), error.code()) {
        (ErrorClass::NotFound, _) => {
            format!("there is no bucket `{bucket}`: set the sensor's bucket to one that exists")
        }
        (ErrorClass::AccessDenied, _) => format!(
            "the role may not list bucket `{bucket}`: deploy with the generated template, which \
             allows it, and check the bucket's own policy"
        ),
        (_, Some("PermanentRedirect" | "AuthorizationHeaderMalformed")) => format!(
            "bucket `{bucket}` is in another region: a rule receives events only of buckets in its \
             own region"
        ),
        _ => describe("S3", error),
    }
}

/// Converts a listed object; `None` if its key is not text.
fn to_listed_object(object: Object) -> Option<ListedObject> {
    let key = decode_key(&object.key?)?;
    let modified = object.last_modified?;
    Some(ListedObject {
        key,
        size: object
            .size
            .unwrap_or_default()
            .try_into()
            .unwrap_or_default(),
        etag: object.e_tag.map(|etag| etag.trim_matches('"').to_owned()),
        last_modified: DateTime::from_timestamp(modified.secs(), modified.subsec_nanos())?,
    })
}

#[async_trait]
impl ObjectListing for S3Objects {
    async fn list_objects(
        &self,
        bucket: &str,
        prefix: &str,
        after: Option<&str>,
    ) -> Result<ObjectPage, String> {
        let list = self
            .client
            .list_objects_v2()
            .bucket(bucket)
            .prefix(prefix)
            // Keys may contain characters that XML cannot represent.
            .encoding_type(EncodingType::Url)
            .set_max_keys(self.page_size)
            .set_continuation_token(after.map(str::to_owned));
        let answer = list.send().await;
        let page = answer.map_err(|error| describe_failure(bucket, &error))?;
        let next = page.next_continuation_token;
        // Some S3-compatible stores return a token with the last page, too.
        Ok(ObjectPage {
            next: next.filter(|_| page.is_truncated == Some(true)),
            objects: page
                .contents
                .unwrap_or_default()
                .into_iter()
                .filter_map(to_listed_object)
                .collect(),
            refused: Vec::new(),
        })
    }
}
