//! [`AutomationCursor`]: the state that one tick leaves for the next.

use std::{collections::BTreeMap, fmt};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::stamp::Stamped;
use crate::{
    key::AssetKey,
    partitions::{PartitionContext, PartitionKey, PartitionSet, PartitionsDefinition},
};

/// The state that one tick leaves for the next: opaque, to be stored in its serialized form.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AutomationCursor {
    pub(super) assets: BTreeMap<AssetKey, AssetCursor>,
    /// The meaning of the stored ordinals, by asset.
    pub(super) shapes: BTreeMap<AssetKey, Shape>,
}

impl AutomationCursor {
    /// Returns the time of the last evaluation of an asset.
    pub fn evaluated_at(&self, asset: &AssetKey) -> Option<DateTime<Utc>> {
        self.assets.get(asset).map(|cursor| cursor.evaluated_at)
    }

    /// Returns the time of the last evaluation of any asset; `None` before the first.
    pub fn evaluated_last(&self) -> Option<DateTime<Utc>> {
        self.assets.values().map(|cursor| cursor.evaluated_at).max()
    }

    /// Returns the sequence number up to which every asset has seen the updates: a snapshot needs
    /// those after it. `None` before the first evaluation.
    pub fn seen_up_to(&self) -> Option<u64> {
        self.assets.values().map(|cursor| cursor.sequence).min()
    }
}

/// The cursor of one asset that carries a condition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct AssetCursor {
    pub(super) evaluated_at: DateTime<Utc>,
    pub(super) sequence: u64,
    /// The partitions that the asset's own condition requested, without those that other assets of
    /// its op added.
    pub(super) requested: PartitionSet,
    /// The partitions that were in the latest time window while an upstream partition did not exist.
    /// They count as latest until they are materialized and a later one can be made.
    #[serde(default, skip_serializing_if = "PartitionSet::is_empty")]
    pub(super) waiting: PartitionSet,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) nodes: BTreeMap<NodeId, NodeState>,
}

/// The state of a node of a condition. Empty states are not stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum NodeState {
    /// The partitions that a `since` is true of.
    Since {
        /// Those whose trigger has no moment.
        #[serde(default, skip_serializing_if = "PartitionSet::is_empty")]
        untimed: PartitionSet,
        /// Those with the moment of their trigger.
        #[serde(default, skip_serializing_if = "Stamped::is_empty")]
        timed: Stamped,
    },
    /// The partitions that the operand of a `newly_true` was true of.
    WasTrue(PartitionSet),
    /// The code version.
    CodeVersion(String),
}

impl NodeState {
    /// Returns `true` if the state holds nothing.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Since { untimed, timed } => untimed.is_empty() && timed.is_empty(),
            Self::WasTrue(partitions) => partitions.is_empty(),
            Self::CodeVersion(_) => false,
        }
    }
}

/// The id of a node of a condition, stable between evaluations: it follows from the content of the
/// condition.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct NodeId(u64);

impl NodeId {
    /// Hashes parts with FNV-1a, which is the same in every release of the compiler.
    pub(super) fn hash_of(parts: &[&str]) -> Self {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for part in parts {
            // The zero byte separates parts: `ab`, `c` and `a`, `bc` differ.
            for byte in part.bytes().chain([0]) {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
        }
        Self(hash)
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Serialize for NodeId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for NodeId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        u64::from_str_radix(&text, 16)
            .map(Self)
            .map_err(|_| de::Error::custom(format!("`{text}` is not a node of a cursor")))
    }
}

/// A fingerprint of the keys that ordinals mean. Stored sets become invalid once their ordinals
/// name other keys, such as after a change of a definition's start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Shape {
    /// No partitions.
    Unpartitioned,
    /// Dynamic partitions: a key keeps its ordinal.
    Dynamic,
    /// A hash of the keys at some ordinals up to the last.
    Keys { last: u64, hash: NodeId },
}

impl Shape {
    /// Returns the shape of a definition whose partitions are `all`.
    pub(super) fn from_partitions(
        definition: Option<&PartitionsDefinition>,
        all: &PartitionSet,
        context: &PartitionContext,
    ) -> Self {
        match definition {
            None => Self::Unpartitioned,
            Some(PartitionsDefinition::Dynamic(_)) => Self::Dynamic,
            Some(definition) => {
                // Keys may be added after the last one, but those before it must not change.
                let last = all.last().unwrap_or_default();
                Self::Keys {
                    last,
                    hash: hash_keys(definition, last, context),
                }
            }
        }
    }

    /// Returns `true` if the ordinals mean the same keys in `definition`.
    pub(super) fn still_holds(
        &self,
        definition: Option<&PartitionsDefinition>,
        context: &PartitionContext,
    ) -> bool {
        match (self, definition) {
            (Self::Unpartitioned, None)
            | (Self::Dynamic, Some(PartitionsDefinition::Dynamic(_))) => true,
            (Self::Keys { last, hash }, Some(definition)) => {
                hash_keys(definition, *last, context) == *hash
            }
            _ => false,
        }
    }
}

/// Hashes keys of a definition: all keys of a static one; otherwise the first two, the last, and
/// those at half of it, a quarter and so on, which suffice to detect another rule.
fn hash_keys(definition: &PartitionsDefinition, last: u64, context: &PartitionContext) -> NodeId {
    let ordinals: Vec<u64> = match definition {
        PartitionsDefinition::Static(_) => (0..=last).collect(),
        _ => [0, 1]
            .into_iter()
            .chain(std::iter::successors(Some(last), |n| {
                Some(n / 2).filter(|n| *n > 1)
            }))
            .collect(),
    };
    let keys: Vec<Option<PartitionKey>> = ordinals
        .into_iter()
        .map(|ordinal| definition.key(ordinal, context))
        .collect();
    let parts: Vec<&str> = keys
        .iter()
        .map(|key| key.as_ref().map_or("", PartitionKey::as_str))
        .collect();
    NodeId::hash_of(&parts)
}
