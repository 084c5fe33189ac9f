//! [`ObjectEvent`]: what S3 says of an object.

use std::cmp::Ordering;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What happened to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectChange {
    /// It was written: put, copied, or put together from parts.
    Created,
    /// It was deleted, or hidden behind a delete marker.
    Deleted,
}

/// One thing that happened to one object, whichever way the message came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectEvent {
    /// The bucket.
    pub bucket: String,
    /// The key as it is: decoded.
    pub key: String,
    /// What happened.
    pub change: ObjectChange,
    /// When. EventBridge tells it to the second.
    pub at: DateTime<Utc>,
    /// The size in bytes; `None` for what was deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// The entity tag, without quotes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// The version, in a bucket that keeps versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The order of changes of one key: see [`newer_sequencer`]. What a sweep found has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequencer: Option<String>,
}

impl ObjectEvent {
    /// An object that was written: what a test begins with.
    pub fn created(bucket: impl Into<String>, key: impl Into<String>, at: DateTime<Utc>) -> Self {
        Self {
            bucket: bucket.into(),
            key: key.into(),
            change: ObjectChange::Created,
            at,
            size: None,
            etag: None,
            version: None,
            sequencer: None,
        }
    }

    /// What is the same in every delivery of this event, and in no other event.
    pub fn identity(&self) -> String {
        let change = match self.change {
            ObjectChange::Created => "+",
            ObjectChange::Deleted => "-",
        };
        let which = match (&self.sequencer, &self.version, &self.etag) {
            (Some(sequencer), version, _) => {
                format!("{}@{sequencer}", version.as_deref().unwrap_or_default())
            }
            (None, Some(version), _) => version.clone(),
            (None, None, Some(etag)) => format!("etag:{etag}"),
            (None, None, None) => self.at.to_rfc3339(),
        };
        format!("{change}{}/{}#{which}", self.bucket, self.key)
    }

    /// Whether this event happened after another of the same key. Where neither has a sequencer, or
    /// only one has, their times decide.
    pub fn is_after(&self, other: &Self) -> bool {
        match (&self.sequencer, &other.sequencer) {
            (Some(own), Some(other)) => newer_sequencer(own, other) == Ordering::Greater,
            _ => self.at > other.at,
        }
    }
}

/// Compares two sequencers of one key. They are hexadecimal numbers of any length: the shorter one
/// is filled up with zeros on its right, then they compare as text. (Amazon S3 User Guide, "Event
/// message structure".)
pub fn newer_sequencer(one: &str, other: &str) -> Ordering {
    let width = one.len().max(other.len());
    let filled = |text: &str| {
        let zeros = width - text.len();
        text.bytes()
            .map(|byte| byte.to_ascii_uppercase())
            .chain(std::iter::repeat_n(b'0', zeros))
            .collect::<Vec<u8>>()
    };
    filled(one).cmp(&filled(other))
}
