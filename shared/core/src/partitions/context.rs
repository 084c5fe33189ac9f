//! What a partitions definition needs to know about the world: the present moment and the dynamic keys.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::PartitionKey;

/// The keys of one dynamic partitions set by ordinal, in the order of being added.
///
/// A key that is removed leaves a hole, so that the ordinals of the others stay.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DynamicKeys {
    slots: Vec<Option<PartitionKey>>,
    ordinals: BTreeMap<PartitionKey, u64>,
}

impl DynamicKeys {
    /// Takes the slots as they are stored: index = ordinal, `None` = a key that was removed.
    pub fn from_slots(slots: Vec<Option<PartitionKey>>) -> Self {
        let ordinals = slots
            .iter()
            .zip(0u64..)
            .filter_map(|(slot, ordinal)| slot.clone().map(|key| (key, ordinal)))
            .collect();
        Self { slots, ordinals }
    }

    /// The key at an ordinal, unless it was removed or never added.
    pub fn key(&self, ordinal: u64) -> Option<&PartitionKey> {
        self.slots.get(usize::try_from(ordinal).ok()?)?.as_ref()
    }

    /// The ordinal of a key that is there.
    pub fn ordinal(&self, key: &str) -> Option<u64> {
        self.ordinals.get(key).copied()
    }

    /// Ordinals and keys that are there, oldest first.
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

/// The world as a partitions definition sees it: which moment it is, and which dynamic keys there are.
///
/// One context serves a whole decision, so that everything in it is seen at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionContext {
    /// The present moment: windows that end later do not exist yet.
    pub now: DateTime<Utc>,
    /// The keys of each dynamic set, by the set's name.
    pub dynamic: BTreeMap<String, DynamicKeys>,
}

impl PartitionContext {
    /// A moment with no dynamic keys.
    pub fn at(now: DateTime<Utc>) -> Self {
        Self {
            now,
            dynamic: BTreeMap::new(),
        }
    }
}
