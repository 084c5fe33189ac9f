//! [`ObjectListing`]: the port that lists the objects of a bucket.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use precip_core::trigger::{ObjectChange, ObjectEvent};

/// An object in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedObject {
    /// The key, decoded.
    pub key: String,
    /// The size in bytes.
    pub size: u64,
    /// The entity tag, without quotes.
    pub etag: Option<String>,
    /// Time of the last write. In S3 that is the start of a multipart upload.
    pub last_modified: DateTime<Utc>,
}

impl ListedObject {
    /// Returns the event of the object's creation, as far as a listing tells it.
    pub fn to_created_event(&self, bucket: &str) -> ObjectEvent {
        ObjectEvent {
            bucket: bucket.to_owned(),
            key: self.key.clone(),
            change: ObjectChange::Created,
            at: self.last_modified,
            size: Some(self.size),
            etag: self.etag.clone(),
            version: None,
            sequencer: None,
        }
    }
}

/// A page of a listing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObjectPage {
    /// The objects.
    pub objects: Vec<ListedObject>,
    /// The token of the next page; `None` at the end.
    pub next: Option<String>,
    /// Messages about files of a folder that cannot be objects, each with the path.
    pub refused: Vec<String>,
}

/// Lists the objects of a bucket.
#[async_trait]
pub trait ObjectListing: Send + Sync {
    /// Returns a page of the objects whose keys begin with a prefix, ordered by key.
    ///
    /// # Errors
    /// The reason why they cannot be listed.
    async fn list_objects(
        &self,
        bucket: &str,
        prefix: &str,
        after: Option<&str>,
    ) -> Result<ObjectPage, String>;
}
