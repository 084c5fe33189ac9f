//! [`ObjectEvent`]: a change of an object in S3.

use std::cmp::Ordering;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The kind of change of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectChange {
    /// The object was written: put, copied, or completed from multipart uploads.
    Created,
    /// The object was deleted, or hidden by a delete marker.
    Deleted,
}

/// A change of one object, independent of the form of the message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectEvent {
    /// The bucket.
    pub bucket: String,
    /// The decoded key.
    pub key: String,
    /// The kind of change.
    pub change: ObjectChange,
    /// The time of the change. EventBridge has a resolution of one second.
    pub at: DateTime<Utc>,
    /// The size in bytes; `None` for a deleted object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// The entity tag, without quotes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// The version, in a versioned bucket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The position in the order of changes of one key: see [`newer_sequencer`]. `None` for an
    /// object that a sweep found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequencer: Option<String>,
}

impl ObjectEvent {
    /// Creates an event of a written object, for tests.
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

    /// Returns a text that is the same for every delivery of this event, and differs between
    /// events.
    pub fn identity(&self) -> String {
        let change = match self.change {
            ObjectChange::Created => "+",
            ObjectChange::Deleted => "-",
        };
        // The most specific of what the message carries: sequencers differ between any two changes.
        let which = match (&self.sequencer, &self.version, &self.etag) {
            (Some(sequencer), version, _) => {
                format!("{}@{sequencer}", version.as_deref().unwrap_or_default())
            }
            (None, Some(version), _) => version.clone(),
            // The same content at another time is another change: an object may be put back as it was.
            (None, None, Some(etag)) => format!("etag:{etag}@{}", self.at.timestamp()),
            (None, None, None) => self.at.to_rfc3339(),
        };
        format!("{change}{}/{}#{which}", self.bucket, self.key)
    }

    /// Returns this change as a sweep sees it: a listing has neither sequencer nor version, and tells
    /// changes of one object apart by entity tag and time.
    pub fn as_swept(&self) -> Self {
        Self {
            sequencer: None,
            version: None,
            ..self.clone()
        }
    }

    /// Returns `true` if this event happened after another of the same key. Unless both have a
    /// sequencer, their times decide.
    pub fn is_after(&self, other: &Self) -> bool {
        match (&self.sequencer, &other.sequencer) {
            (Some(own), Some(other)) => newer_sequencer(own, other) == Ordering::Greater,
            _ => self.at > other.at,
        }
    }
}

/// Compares two sequencers of one key. They are hexadecimal numbers of any length: the shorter one
/// is padded with zeros on the right, then they compare as text. (Amazon S3 User Guide, "Event
/// message structure".)
pub fn newer_sequencer(one: &str, other: &str) -> Ordering {
    // Hexadecimal digits of one case compare as text in the order of their values.
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
