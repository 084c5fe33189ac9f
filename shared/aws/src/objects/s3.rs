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

/// The objects of buckets, listed with `ListObjectsV2`.
#[derive(Debug, Clone)]
pub struct S3Objects {
    client: Client,
    page_size: Option<i32>,
}

impl S3Objects {
    /// Lists with a client.
    pub fn new(client: Client) -> Self {
        Self {
            client,
            page_size: None,
        }
    }

    /// The same with so many objects a page; 1,000, the most that S3 gives, unless told.
    #[must_use]
    pub fn with_page_size(self, page_size: u16) -> Self {
        Self {
            page_size: Some(page_size.into()),
            ..self
        }
    }
}

/// Why a listing failed, with what to do where that is known.
fn failed(bucket: &str, error: &SdkError<ListObjectsV2Error>) -> String {
    let code = error.code().unwrap_or_default();
    match (error, code) {
        (_, "NoSuchBucket") => {
            format!("there is no bucket `{bucket}`: name one that is there in the sensor's setting")
        }
        (_, "AccessDenied") => format!(
            "the role may not list bucket `{bucket}`: deploy with the generated template, which says \
             so, and look at the bucket's own policy"
        ),
        (_, "PermanentRedirect" | "AuthorizationHeaderMalformed") => format!(
            "bucket `{bucket}` is in another region: events reach a rule in the bucket's own region \
             only"
        ),
        (SdkError::TimeoutError(_), _) => "S3 did not answer in time".to_owned(),
        (SdkError::DispatchFailure(_) | SdkError::ResponseError(_), _) => {
            "the connection to S3 failed".to_owned()
        }
        (_, "") => "S3 refused without a reason".to_owned(),
        (_, code) => format!("{code}: {}", error.message().unwrap_or_default()),
    }
}

/// An object of an answer; `None` for one whose key is no text.
fn listed(object: Object) -> Option<ListedObject> {
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
    async fn list(
        &self,
        bucket: &str,
        prefix: &str,
        after: Option<&str>,
    ) -> Result<ObjectPage, String> {
        let list = self.client.list_objects_v2().bucket(bucket).prefix(prefix);
        // Keys may hold characters that XML cannot.
        let list = list.encoding_type(EncodingType::Url);
        let list = list.set_max_keys(self.page_size);
        let list = list.set_continuation_token(after.map(str::to_owned));
        let page = list.send().await.map_err(|error| failed(bucket, &error))?;
        let next = page.next_continuation_token;
        Ok(ObjectPage {
            next: next.filter(|_| page.is_truncated == Some(true)),
            objects: page
                .contents
                .unwrap_or_default()
                .into_iter()
                .filter_map(listed)
                .collect(),
        })
    }
}
