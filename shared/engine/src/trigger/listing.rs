//! [`ObjectListing`]: the objects of a bucket, to be looked through.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

/// An object as a listing tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedObject {
    /// The key, decoded.
    pub key: String,
    /// The size in bytes.
    pub size: u64,
    /// The entity tag, without quotes.
    pub etag: Option<String>,
    /// When it was last written. In S3 that is when an upload in parts began.
    pub last_modified: DateTime<Utc>,
}

/// A piece of a listing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObjectPage {
    /// The objects.
    pub objects: Vec<ListedObject>,
    /// What to give for the next piece; `None` at the end.
    pub next: Option<String>,
}

/// The objects of a bucket.
#[async_trait]
pub trait ObjectListing: Send + Sync {
    /// A piece of the list of the objects whose keys begin so.
    ///
    /// # Errors
    /// Why they cannot be listed, in words.
    async fn list(
        &self,
        bucket: &str,
        prefix: &str,
        after: Option<&str>,
    ) -> Result<ObjectPage, String>;
}
