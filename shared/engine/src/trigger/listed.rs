//! [`ListedObjects`]: the objects that the last sweep of a sensor listed.

use std::collections::BTreeSet;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{ListedObject, TriggerError, TriggerPorts};
use crate::state::{Advance, TickRequest, TriggerId};

/// Size of the fingerprint of an object, in bytes.
const BYTES: usize = 6;
/// Mean number of objects in a part of the record: 160 KB as text, and an item of DynamoDB holds 400 KB.
const OBJECTS_PER_PART: usize = 20_000;
/// Maximum number of parts, for about 1,300,000 objects. Of more objects no record is kept.
const MAX_PARTS: usize = 64;

/// The fingerprint of an object's key, entity tag, size and time.
type Fingerprint = [u8; BYTES];

/// The objects that a sweep listed. The next sweep compares: an object that is not among them arrived since,
/// whatever its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ListedObjects {
    /// Fingerprint of the sensor's filter: with another filter, other objects are listed.
    filter: Fingerprint,
    objects: BTreeSet<Fingerprint>,
}

/// The stored form of a part: the cursor of a trigger of its own, since that of the sensor is written for each event.
#[derive(Serialize, Deserialize)]
struct PartRepr {
    filter: String,
    /// The number of parts; a part of another number is of another record.
    parts: usize,
    objects: String,
}

impl ListedObjects {
    /// Creates an empty record for a filter, in any form that differs between filters.
    pub(super) fn new(filter: &str) -> Self {
        Self {
            filter: fingerprint(filter),
            objects: BTreeSet::new(),
        }
    }

    /// Adds an object.
    pub(super) fn add(&mut self, object: &ListedObject) {
        self.objects.insert(object_fingerprint(object));
    }

    /// Returns whether the object was listed as it is now.
    pub(super) fn contains(&self, object: &ListedObject) -> bool {
        self.objects.contains(&object_fingerprint(object))
    }

    /// Reads the record of a sensor; `None` if there is none for this filter, or it is incomplete.
    pub(super) async fn read(
        ports: &TriggerPorts,
        sensor: &str,
        filter: &str,
    ) -> Result<Option<Self>, TriggerError> {
        let mut listed = Self::new(filter);
        let mut parts = 1;
        let mut index = 0;
        while index < parts {
            let state = ports.state.trigger_state(&part_id(sensor, index)).await?;
            // An unreadable part counts as none: the sweep then goes by times, and writes a new record.
            let part = state.cursor.as_deref().and_then(parse_part);
            let Some((filter, of, objects)) = part else {
                return Ok(None);
            };
            if filter != listed.filter || (index > 0 && of != parts) {
                return Ok(None);
            }
            listed.objects.extend(objects);
            parts = of;
            index += 1;
        }
        Ok(Some(listed))
    }

    /// Records the objects, writing only parts that differ. A part that a concurrent sweep writes is left to it: what
    /// it does not have is evaluated again. Returns whether a record is kept.
    pub(super) async fn write(
        &self,
        ports: &TriggerPorts,
        sensor: &str,
    ) -> Result<bool, TriggerError> {
        let parts = part_count(self.objects.len());
        // Without a record, the next sweep goes by times.
        let cursors: Vec<Option<String>> = if parts > MAX_PARTS {
            vec![None]
        } else {
            (0..parts)
                .map(|index| Some(self.to_part(index, parts)))
                .collect()
        };
        for (index, cursor) in cursors.into_iter().enumerate() {
            let id = part_id(sensor, index);
            let state = ports.state.trigger_state(&id).await?;
            if state.cursor == cursor {
                continue;
            }
            let advance = Advance {
                revision: state.revision,
                cursor,
                at: ports.clock.now(),
                scheduled_for: None,
                request: TickRequest::Skip { reason: None },
                note: None,
            };
            ports.state.advance_trigger(&id, advance).await?;
        }
        Ok(parts <= MAX_PARTS)
    }

    fn to_part(&self, index: usize, parts: usize) -> String {
        let objects = self.objects.iter();
        let own = objects.filter(|print| part_of(print, parts) == index);
        let bytes: Vec<u8> = own.flatten().copied().collect();
        let part = PartRepr {
            filter: STANDARD.encode(self.filter),
            parts,
            objects: STANDARD.encode(bytes),
        };
        serde_json::to_string(&part).unwrap_or_default()
    }
}

/// Returns the id under which a part is stored. No sensor has such a name.
fn part_id(sensor: &str, index: usize) -> TriggerId {
    let mut id = super::sensor_id(sensor);
    id.name.push_str(&format!("#listed-{index}"));
    id
}

/// Returns the number of parts for some objects: a power of two, so that it rarely changes.
fn part_count(objects: usize) -> usize {
    objects
        .div_ceil(OBJECTS_PER_PART)
        .max(1)
        .next_power_of_two()
}

/// Returns the index of the part that an object is in.
fn part_of(print: &Fingerprint, parts: usize) -> usize {
    usize::from(print[0]) % parts
}

/// Reads the filter, the number of parts and the objects of a part.
fn parse_part(text: &str) -> Option<(Fingerprint, usize, Vec<Fingerprint>)> {
    let part: PartRepr = serde_json::from_str(text).ok()?;
    let filter: Fingerprint = STANDARD.decode(&part.filter).ok()?.try_into().ok()?;
    let bytes = STANDARD.decode(&part.objects).ok()?;
    let (objects, rest) = bytes.as_chunks::<BYTES>();
    let is_valid = rest.is_empty() && (1..=MAX_PARTS).contains(&part.parts);
    is_valid.then(|| (filter, part.parts, objects.to_vec()))
}

fn object_fingerprint(object: &ListedObject) -> Fingerprint {
    // The parts are separated by a character that no entity tag or time has.
    fingerprint(&format!(
        "{}\n{}\n{}\n{}",
        object.etag.as_deref().unwrap_or_default(),
        object.size,
        object.last_modified.to_rfc3339(),
        object.key,
    ))
}

fn fingerprint(text: &str) -> Fingerprint {
    let digest = Sha256::digest(text.as_bytes());
    let mut print = [0; BYTES];
    print.copy_from_slice(&digest[..BYTES]);
    print
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(key: &str, etag: &str, size: u64, time: &str) -> ListedObject {
        ListedObject {
            key: key.to_owned(),
            size,
            etag: Some(etag.to_owned()),
            last_modified: time.parse().unwrap(),
        }
    }

    #[test]
    fn an_object_is_known_as_it_was_listed_only() {
        let mut listed = ListedObjects::new("filter");
        let first = object("a", "1", 5, "2024-12-01T10:00:00Z");
        listed.add(&first);
        assert!(listed.contains(&first));
        for other in [
            object("b", "1", 5, "2024-12-01T10:00:00Z"),
            object("a", "2", 5, "2024-12-01T10:00:00Z"),
            object("a", "1", 6, "2024-12-01T10:00:00Z"),
            object("a", "1", 5, "2024-12-01T10:00:01Z"),
            object("a", "1", 5, "2024-11-01T10:00:00Z"),
        ] {
            assert!(!listed.contains(&other), "{other:?}");
        }
    }

    #[test]
    fn parts_fit_into_an_item_and_are_read_back() {
        let mut listed = ListedObjects::new("filter");
        for number in 0..45_000 {
            listed.add(&object(
                &format!("{number}"),
                "1",
                5,
                "2024-12-01T10:00:00Z",
            ));
        }
        let parts = part_count(listed.objects.len());
        assert_eq!(parts, 4);
        let mut read = BTreeSet::new();
        for index in 0..parts {
            let text = listed.to_part(index, parts);
            assert!(text.len() < 300_000, "{}", text.len());
            let (filter, of, objects) = parse_part(&text).unwrap();
            assert_eq!((filter, of), (listed.filter, 4));
            read.extend(objects);
        }
        assert_eq!(read, listed.objects);
        assert_eq!(parse_part("{}"), None);
    }
}
