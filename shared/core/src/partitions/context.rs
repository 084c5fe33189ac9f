//! The state that a partitions definition depends on: the current time and the dynamic keys.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::PartitionKey;

/// The keys of one dynamic partitions set by ordinal, in the order of their addition.
///
/// A removed key leaves an empty slot, so that the ordinals of the others do not change.
///
/// ```
/// use precip_core::partitions::DynamicKeys;
///
/// let shops = DynamicKeys::from_history([("harbour".into(), true), ("mill".into(), false)]);
/// assert_eq!(shops.key(1), None);
/// assert_eq!(shops.removed_key(1), Some(&"mill".into()));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DynamicKeys {
    slots: Vec<Option<PartitionKey>>,
    ordinals: BTreeMap<PartitionKey, u64>,
    removed: BTreeMap<u64, PartitionKey>,
}

impl DynamicKeys {
    /// Creates the keys from stored slots: the index is the ordinal, `None` is a removed key.
    pub fn from_slots(slots: Vec<Option<PartitionKey>>) -> Self {
        let ordinals = slots
            .iter()
            .zip(0u64..)
            .filter_map(|(slot, ordinal)| slot.clone().map(|key| (key, ordinal)))
            .collect();
        Self {
            slots,
            ordinals,
            removed: BTreeMap::new(),
        }
    }

    /// Creates the keys from every key that was ever added, in the order of addition, each with
    /// whether it is still present.
    pub fn from_history(keys: impl IntoIterator<Item = (PartitionKey, bool)>) -> Self {
        let mut removed = BTreeMap::new();
        let slots = (0u64..).zip(keys).map(|(ordinal, (key, present))| {
            if present {
                return Some(key);
            }
            removed.insert(ordinal, key);
            None
        });
        let slots = slots.collect();
        Self {
            removed,
            ..Self::from_slots(slots)
        }
    }

    /// Returns the key at an ordinal, unless it was removed or never added.
    pub fn key(&self, ordinal: u64) -> Option<&PartitionKey> {
        self.slots.get(usize::try_from(ordinal).ok()?)?.as_ref()
    }

    /// Returns the key that was removed from a slot, which is its own until it is added again.
    pub fn removed_key(&self, ordinal: u64) -> Option<&PartitionKey> {
        self.removed.get(&ordinal)
    }

    /// Returns the ordinal of an existing key.
    pub fn ordinal(&self, key: &str) -> Option<u64> {
        self.ordinals.get(key).copied()
    }

    /// Iterates over ordinals and existing keys, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &PartitionKey)> {
        (0u64..)
            .zip(&self.slots)
            .filter_map(|(ordinal, slot)| Some((ordinal, slot.as_ref()?)))
    }
}

impl FromIterator<PartitionKey> for DynamicKeys {
    fn from_iter<I: IntoIterator<Item = PartitionKey>>(keys: I) -> Self {
        Self::from_slots(keys.into_iter().map(Some).collect())
    }
}

/// The state that a partitions definition depends on: the current time and the dynamic keys.
///
/// One context serves a whole decision, so that all of it is made for the same moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionContext {
    /// The current time: windows that end later do not exist yet.
    pub now: DateTime<Utc>,
    /// The keys of each dynamic set, by the set's name.
    pub dynamic: BTreeMap<String, DynamicKeys>,
}

impl PartitionContext {
    /// Creates the context of a moment, without dynamic keys.
    pub fn at(now: DateTime<Utc>) -> Self {
        Self {
            now,
            dynamic: BTreeMap::new(),
        }
    }
}
