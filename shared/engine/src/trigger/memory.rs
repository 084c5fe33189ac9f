//! [`Memory`]: the cursor of a sensor, which remembers handled events.

use std::{
    cmp::Ordering,
    collections::{HashMap, HashSet},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use precip_core::trigger::ObjectEvent;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::TriggerError;
use crate::{
    hex::to_hex,
    state::{TriggerId, TriggerState},
};

/// Maximum number of events that a sensor remembers: 20 bytes each, less than 300 KB in all as text,
/// which an item of DynamoDB (400 KB) holds. Older events are looked up in the recorded state.
pub const MAX_REMEMBERED: usize = 11_000;

/// Number of days for which an event is remembered. SQS keeps a message for four by default.
const KEPT_DAYS: u16 = 7;

/// Maximum number of events that wait for their partitions to exist.
pub(super) const MAX_WAITING: usize = 100;

/// Size of the events that wait, in bytes as JSON, above which no other is added.
const MAX_WAITING_BYTES: usize = 128 * 1024;

/// Maximum size of the function's own cursor, in bytes.
pub(super) const MAX_FUNCTION_CURSOR: usize = 64 * 1024;

/// Maximum size of a whole cursor, in bytes: an item of DynamoDB holds 400 KB, together with the last tick.
const MAX_CURSOR: usize = 360 * 1024;

/// Size of one entry, in bytes.
const BYTES: usize = 20;

/// One handled event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    /// Fingerprint of the event.
    event: [u8; 8],
    /// Fingerprint of the bucket and the key.
    key: [u8; 6],
    /// Time of the event, in seconds of Unix time.
    at: u32,
    /// Day on which it was handled, in days of Unix time; 0 until the cursor is written.
    handled: u16,
}

/// The cursor of a sensor.
#[derive(Debug, Clone, Default)]
pub(super) struct Memory {
    /// The handled events, in the order in which they were handled.
    entries: Vec<Entry>,
    /// Fingerprints of the events.
    events: HashSet<[u8; 8]>,
    /// Time of the newest handled event of each key, in seconds of Unix time.
    newest: HashMap<[u8; 6], u32>,
    /// Events up to this time may have been forgotten.
    pub(super) horizon: Option<DateTime<Utc>>,
    /// Time up to which sweeps have listed every object.
    pub(super) swept: Option<DateTime<Utc>>,
    /// Events whose partitions do not exist yet.
    waiting: Vec<ObjectEvent>,
    /// Identities of the events that wait.
    waiting_identities: HashSet<String>,
    /// Size of the events that wait, in bytes as JSON.
    waiting_bytes: usize,
    /// The function's own cursor.
    pub(super) function_cursor: Option<String>,
}

/// The stored form of a cursor.
#[derive(Serialize, Deserialize)]
struct MemoryRepr {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    seen: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    horizon: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    swept: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    waiting: Vec<ObjectEvent>,
    #[serde(default, rename = "own", skip_serializing_if = "Option::is_none")]
    function_cursor: Option<String>,
}

impl Memory {
    /// Reads the cursor of a trigger.
    pub(super) fn from_state(
        trigger: &TriggerId,
        state: &TriggerState,
    ) -> Result<Self, TriggerError> {
        let Some(cursor) = &state.cursor else {
            return Ok(Self::default());
        };
        let refuse = |problem: String| TriggerError::Cursor {
            trigger: trigger.to_string(),
            problem,
        };
        let stored: MemoryRepr =
            serde_json::from_str(cursor).map_err(|error| refuse(error.to_string()))?;
        let bytes = STANDARD
            .decode(&stored.seen)
            .map_err(|error| refuse(error.to_string()))?;
        let mut memory = Self {
            horizon: stored.horizon,
            swept: stored.swept,
            function_cursor: stored.function_cursor,
            ..Self::default()
        };
        for event in stored.waiting {
            memory.add_waiting(event);
        }
        for entry in bytes.chunks_exact(BYTES) {
            memory.add_entry(Entry::from_bytes(entry));
        }
        Ok(memory)
    }

    /// Returns the cursor as text, without events that are too old.
    pub(super) fn to_cursor(&self, now: DateTime<Utc>) -> String {
        let today = unix_days(now);
        let entries = self.entries.iter().map(|entry| Entry {
            handled: if entry.handled == 0 {
                today
            } else {
                entry.handled
            },
            ..*entry
        });
        let (mut kept, mut forgotten): (Vec<Entry>, Vec<Entry>) =
            entries.partition(|entry| today.saturating_sub(entry.handled) <= KEPT_DAYS);
        let most = self.entries_that_fit();
        if kept.len() > most {
            // The events that were handled first are forgotten first.
            forgotten.extend(kept.drain(..kept.len() - most));
        }
        // Any event up to the newest forgotten one may be forgotten too.
        let last = forgotten
            .iter()
            .map(|entry| from_unix_seconds(entry.at))
            .max();
        let horizon = self.horizon.max(last);
        let bytes: Vec<u8> = kept.iter().flat_map(|entry| entry.to_bytes()).collect();
        let stored = MemoryRepr {
            seen: STANDARD.encode(bytes),
            horizon,
            swept: self.swept,
            waiting: self.waiting.clone(),
            function_cursor: self.function_cursor.clone(),
        };
        serde_json::to_string(&stored).unwrap_or_default()
    }

    /// Returns the number of entries that one cursor holds besides the waiting events and the function's cursor.
    fn entries_that_fit(&self) -> usize {
        // As a JSON string, which may be longer than the text.
        let own = serde_json::to_string(&self.function_cursor).map_or(0, |text| text.len());
        let left = MAX_CURSOR.saturating_sub(self.waiting_bytes + own);
        // Base64 writes three bytes as four characters.
        (left / 4 * 3 / BYTES).min(MAX_REMEMBERED)
    }

    /// Adds an event that waits for its partition.
    pub(super) fn add_waiting(&mut self, event: ObjectEvent) {
        self.waiting_identities.insert(event.identity());
        self.waiting_bytes += serde_json::to_string(&event).map_or(0, |text| text.len() + 1);
        self.waiting.push(event);
    }

    /// Removes and returns the events that wait.
    pub(super) fn take_waiting(&mut self) -> Vec<ObjectEvent> {
        self.waiting_identities.clear();
        self.waiting_bytes = 0;
        std::mem::take(&mut self.waiting)
    }

    /// Returns whether an event waits.
    pub(super) fn is_waiting(&self, event: &ObjectEvent) -> bool {
        !self.waiting.is_empty() && self.waiting_identities.contains(&event.identity())
    }

    /// Returns whether the list of waiting events is full.
    pub(super) fn is_waiting_full(&self) -> bool {
        self.waiting.len() >= MAX_WAITING || self.waiting_bytes >= MAX_WAITING_BYTES
    }

    fn add_entry(&mut self, entry: Entry) {
        if self.events.insert(entry.event) {
            self.entries.push(entry);
        }
        let newest = self.newest.entry(entry.key).or_default();
        *newest = (*newest).max(entry.at);
    }

    /// Remembers an event as handled.
    pub(super) fn remember_event(&mut self, event: &ObjectEvent) {
        self.add_entry(Entry {
            event: fingerprint(&event.identity()),
            key: key_fingerprint(event),
            at: unix_seconds(event.at),
            handled: 0,
        });
    }

    /// Remembers something other than an object's event as handled, by a unique name.
    pub(super) fn remember_name(&mut self, name: &str, at: DateTime<Utc>) {
        self.add_entry(Entry {
            event: fingerprint(name),
            key: fingerprint(name),
            at: unix_seconds(at),
            handled: 0,
        });
    }

    /// Returns whether something was remembered by its name.
    pub(super) fn knows_name(&self, name: &str) -> bool {
        self.events.contains(&fingerprint::<8>(name))
    }

    /// Returns whether this event was handled, as it was notified or as a sweep found it.
    pub(super) fn knows_event(&self, event: &ObjectEvent) -> bool {
        let knows = |event: &ObjectEvent| self.events.contains(&fingerprint(&event.identity()));
        // The entity tag alone does not identify a change: the object may have been overwritten and
        // put back since. A sweep and a notification of one change agree in their time as well.
        knows(event) || (event.etag.is_some() && knows(&event.as_swept()))
    }

    /// Returns whether a later event of the same key was handled. Times are compared by the second.
    pub(super) fn has_newer(&self, event: &ObjectEvent) -> bool {
        let newest = self.newest.get(&key_fingerprint(event));
        newest.is_some_and(|newest| *newest > unix_seconds(event.at))
    }

    /// Returns whether an event of the same key, as new or newer, was handled. Sweeps ask this, since
    /// a listing has no sequencers.
    pub(super) fn has_same_or_newer(&self, event: &ObjectEvent) -> bool {
        // A listing with times finer than seconds (a folder) identifies its changes exactly, so that a
        // second write within one second is another change. Times of S3 are whole seconds: its
        // notifications are remembered by their sequencers, and only the second is comparable.
        let whole_seconds = event.at.timestamp_subsec_nanos() == 0;
        let newest = self.newest.get(&key_fingerprint(event));
        newest.is_some_and(|newest| match newest.cmp(&unix_seconds(event.at)) {
            Ordering::Greater => true,
            Ordering::Equal => whole_seconds,
            Ordering::Less => false,
        })
    }

    /// Returns whether an event is so old that it may have been forgotten.
    pub(super) fn may_have_forgotten(&self, event: &ObjectEvent) -> bool {
        self.horizon.is_some_and(|horizon| event.at <= horizon)
    }
}

impl Entry {
    fn to_bytes(self) -> [u8; BYTES] {
        let mut bytes = [0; BYTES];
        bytes[..8].copy_from_slice(&self.event);
        bytes[8..14].copy_from_slice(&self.key);
        bytes[14..18].copy_from_slice(&self.at.to_be_bytes());
        bytes[18..].copy_from_slice(&self.handled.to_be_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Self {
        let (mut event, mut key, mut at, mut handled) = ([0; 8], [0; 6], [0; 4], [0; 2]);
        event.copy_from_slice(&bytes[..8]);
        key.copy_from_slice(&bytes[8..14]);
        at.copy_from_slice(&bytes[14..18]);
        handled.copy_from_slice(&bytes[18..BYTES]);
        Self {
            event,
            key,
            at: u32::from_be_bytes(at),
            handled: u16::from_be_bytes(handled),
        }
    }
}

fn key_fingerprint(event: &ObjectEvent) -> [u8; 6] {
    fingerprint(&format!("{}/{}", event.bucket, event.key))
}

fn fingerprint<const N: usize>(text: &str) -> [u8; N] {
    let digest = Sha256::digest(text.as_bytes());
    let mut print = [0; N];
    print.copy_from_slice(&digest[..N]);
    print
}

fn unix_seconds(at: DateTime<Utc>) -> u32 {
    u32::try_from(at.timestamp().max(0)).unwrap_or(u32::MAX)
}

fn unix_days(at: DateTime<Utc>) -> u16 {
    u16::try_from(at.timestamp().max(0) / 86_400).unwrap_or(u16::MAX)
}

fn from_unix_seconds(seconds: u32) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds.into(), 0).unwrap_or_default()
}

/// Returns a short name for a set of names, independent of their order.
pub(super) fn digest_names(names: impl IntoIterator<Item = String>) -> String {
    let mut sorted: Vec<String> = names.into_iter().collect();
    sorted.sort();
    let mut hash = Sha256::new();
    for name in &sorted {
        hash.update(name.as_bytes());
        hash.update([0]);
    }
    to_hex(&hash.finalize()[..16])
}
