//! What a sensor remembers of the events it has handled: its cursor.

use std::collections::{HashMap, HashSet};

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use precip_core::trigger::ObjectEvent;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::TriggerError;
use crate::state::{TriggerId, TriggerState};

/// How many events a sensor remembers: 20 bytes each, less than 300 KB in all as text, which an item
/// of DynamoDB (400 KB) holds. What is older than it can remember is looked up in the record.
pub const MAX_REMEMBERED: usize = 11_000;

/// For how many days an event is remembered. SQS keeps a message for four unless told otherwise.
const KEPT_DAYS: u16 = 7;

/// How many events wait for their partitions to exist.
pub(super) const MAX_WAITING: usize = 100;

/// The bytes of one entry.
const BYTES: usize = 20;

/// One event that was handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    /// Which event.
    event: [u8; 8],
    /// Which key.
    key: [u8; 6],
    /// When it happened, in seconds of Unix time.
    at: u32,
    /// When it was handled, in days of Unix time; 0 until it is written.
    handled: u16,
}

/// What a sensor remembers.
#[derive(Debug, Clone, Default)]
pub(super) struct Memory {
    entries: Vec<Entry>,
    events: HashSet<[u8; 8]>,
    newest: HashMap<[u8; 6], u32>,
    /// Events up to this moment may have been forgotten.
    pub(super) horizon: Option<DateTime<Utc>>,
    /// Up to when a sweep has looked at everything.
    pub(super) swept: Option<DateTime<Utc>>,
    /// Events whose partitions do not exist yet.
    pub(super) waiting: Vec<ObjectEvent>,
    /// The function's own cursor.
    pub(super) own: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Written {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    seen: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    horizon: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    swept: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    waiting: Vec<ObjectEvent>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    own: Option<String>,
}

impl Memory {
    /// Reads a cursor.
    pub(super) fn of(trigger: &TriggerId, state: &TriggerState) -> Result<Self, TriggerError> {
        let Some(cursor) = &state.cursor else {
            return Ok(Self::default());
        };
        let refuse = |problem: String| TriggerError::Cursor {
            trigger: trigger.to_string(),
            problem,
        };
        let written: Written =
            serde_json::from_str(cursor).map_err(|error| refuse(error.to_string()))?;
        let bytes = STANDARD
            .decode(&written.seen)
            .map_err(|error| refuse(error.to_string()))?;
        let mut memory = Self {
            horizon: written.horizon,
            swept: written.swept,
            waiting: written.waiting,
            own: written.own,
            ..Self::default()
        };
        for entry in bytes.chunks_exact(BYTES) {
            memory.add(Entry::read(entry));
        }
        Ok(memory)
    }

    /// The cursor that holds it, without what is too old.
    pub(super) fn write(&self, now: DateTime<Utc>) -> String {
        let today = days(now);
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
        if kept.len() > MAX_REMEMBERED {
            // They stand in the order in which they were handled.
            forgotten.extend(kept.drain(..kept.len() - MAX_REMEMBERED));
        }
        let last = forgotten.iter().map(|entry| moment(entry.at)).max();
        let horizon = self.horizon.max(last);
        let bytes: Vec<u8> = kept.iter().flat_map(|entry| entry.bytes()).collect();
        let written = Written {
            seen: STANDARD.encode(bytes),
            horizon,
            swept: self.swept,
            waiting: self.waiting.clone(),
            own: self.own.clone(),
        };
        serde_json::to_string(&written).unwrap_or_default()
    }

    fn add(&mut self, entry: Entry) {
        if self.events.insert(entry.event) {
            self.entries.push(entry);
        }
        let newest = self.newest.entry(entry.key).or_default();
        *newest = (*newest).max(entry.at);
    }

    /// Remembers an event as handled.
    pub(super) fn remember(&mut self, event: &ObjectEvent) {
        self.add(Entry {
            event: fingerprint(&event.identity()),
            key: key_of(event),
            at: seconds(event.at),
            handled: 0,
        });
    }

    /// Remembers something else as handled, by a name that is its own.
    pub(super) fn remember_name(&mut self, name: &str, at: DateTime<Utc>) {
        self.add(Entry {
            event: fingerprint(name),
            key: fingerprint(name),
            at: seconds(at),
            handled: 0,
        });
    }

    /// Whether something was remembered by its name.
    pub(super) fn knows_name(&self, name: &str) -> bool {
        self.events.contains(&fingerprint::<8>(name))
    }

    /// Whether this very event was handled: as it came, or as a sweep found it.
    pub(super) fn knows(&self, event: &ObjectEvent) -> bool {
        let found_by_sweep = ObjectEvent {
            sequencer: None,
            version: None,
            ..event.clone()
        };
        self.events.contains(&fingerprint(&event.identity()))
            || (event.etag.is_some()
                && self
                    .events
                    .contains(&fingerprint(&found_by_sweep.identity())))
    }

    /// Whether a later event of the same key was handled. Times are told to the second.
    pub(super) fn is_past(&self, event: &ObjectEvent) -> bool {
        let newest = self.newest.get(&key_of(event));
        newest.is_some_and(|newest| *newest > seconds(event.at))
    }

    /// Whether an event of the key from this moment or later was handled: what a sweep asks, as a
    /// listing has no sequencers.
    pub(super) fn covers(&self, event: &ObjectEvent) -> bool {
        let newest = self.newest.get(&key_of(event));
        newest.is_some_and(|newest| *newest >= seconds(event.at))
    }

    /// Whether an event is so old that it may have been forgotten.
    pub(super) fn may_have_forgotten(&self, event: &ObjectEvent) -> bool {
        self.horizon.is_some_and(|horizon| event.at <= horizon)
    }
}

impl Entry {
    fn bytes(self) -> [u8; BYTES] {
        let mut bytes = [0; BYTES];
        bytes[..8].copy_from_slice(&self.event);
        bytes[8..14].copy_from_slice(&self.key);
        bytes[14..18].copy_from_slice(&self.at.to_be_bytes());
        bytes[18..].copy_from_slice(&self.handled.to_be_bytes());
        bytes
    }

    fn read(bytes: &[u8]) -> Self {
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

fn key_of(event: &ObjectEvent) -> [u8; 6] {
    fingerprint(&format!("{}/{}", event.bucket, event.key))
}

fn fingerprint<const N: usize>(text: &str) -> [u8; N] {
    let digest = Sha256::digest(text.as_bytes());
    let mut print = [0; N];
    print.copy_from_slice(&digest[..N]);
    print
}

fn seconds(at: DateTime<Utc>) -> u32 {
    u32::try_from(at.timestamp().max(0)).unwrap_or(u32::MAX)
}

fn days(at: DateTime<Utc>) -> u16 {
    u16::try_from(at.timestamp().max(0) / 86_400).unwrap_or(u16::MAX)
}

fn moment(seconds: u32) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds.into(), 0).unwrap_or_default()
}

/// A short name for many, whatever their order.
pub(super) fn digest(names: impl IntoIterator<Item = String>) -> String {
    let mut names: Vec<String> = names.into_iter().collect();
    names.sort();
    let mut hash = Sha256::new();
    for name in &names {
        hash.update(name.as_bytes());
        hash.update([0]);
    }
    let digest = hash.finalize();
    digest[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
