//! [`Bucket`]: the objects of a bucket.

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

/// The requests a second that a new bucket takes: 3,500 that write and 5,500 that read.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html>
const RATES: [u64; 2] = [3_500, 5_500];

/// An object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Object {
    pub(super) content: Vec<u8>,
    pub(super) etag: String,
    pub(super) modified: DateTime<Utc>,
    pub(super) content_type: String,
}

impl Object {
    pub(super) fn new(
        content: Vec<u8>,
        modified: DateTime<Utc>,
        content_type: Option<&str>,
    ) -> Self {
        // An ETag is opaque, and changes with the content only.
        let hash = Sha256::digest(&content);
        let etag: String = hash[..16]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Self {
            content,
            etag: format!("\"{etag}\""),
            modified,
            content_type: content_type.unwrap_or("binary/octet-stream").to_owned(),
        }
    }
}

/// The objects of a bucket, and how many requests it has taken in this second.
#[derive(Debug, Default)]
pub(super) struct Bucket {
    pub(super) objects: BTreeMap<String, Object>,
    second: u64,
    taken: [u64; 2],
}

impl Bucket {
    /// Counts a request. Returns false when the bucket takes no more in this second.
    pub(super) fn take_request(&mut self, now: Duration, writes: bool) -> bool {
        if self.second != now.as_secs() {
            (self.second, self.taken) = (now.as_secs(), [0, 0]);
        }
        let index = usize::from(!writes);
        self.taken[index] += 1;
        self.taken[index] <= RATES[index]
    }
}
