//! What one evaluation leaves for the next: [`AutomationCursor`].

use std::{collections::BTreeMap, fmt};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::stamp::Stamped;
use crate::{
    key::AssetKey,
    partitions::{PartitionContext, PartitionKey, PartitionSet, PartitionsDefinition},
};

/// What one evaluation leaves for the next. It is opaque, and to be stored as it is serialized.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AutomationCursor {
    pub(super) assets: BTreeMap<AssetKey, AssetCursor>,
    /// What the ordinals here mean, by the asset they belong to.
    pub(super) shapes: BTreeMap<AssetKey, Shape>,
}

impl AutomationCursor {
    /// When the conditions of an asset were last evaluated.
    pub fn evaluated_at(&self, asset: &AssetKey) -> Option<DateTime<Utc>> {
        self.assets.get(asset).map(|cursor| cursor.evaluated_at)
    }

    /// When conditions were last evaluated; none before the first time.
    pub fn evaluated_last(&self) -> Option<DateTime<Utc>> {
        self.assets.values().map(|cursor| cursor.evaluated_at).max()
    }

    /// The sequence number up to which every asset here has seen the events: a snapshot needs the
    /// updates after it. None when an asset has yet to be evaluated for the first time.
    pub fn seen_up_to(&self) -> Option<u64> {
        self.assets.values().map(|cursor| cursor.sequence).min()
    }
}

/// The cursor of one asset that carries a condition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct AssetCursor {
    pub(super) evaluated_at: DateTime<Utc>,
    pub(super) sequence: u64,
    /// What its own condition requested, without what the rest of a multi-asset added.
    pub(super) requested: PartitionSet,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) nodes: BTreeMap<NodeId, NodeState>,
}

/// What a node of a condition remembers. Nothing is kept of a node that remembers nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum NodeState {
    /// What a `since` is true of: with the moment of the trigger, and without one.
    Since {
        #[serde(default, skip_serializing_if = "PartitionSet::is_empty")]
        untimed: PartitionSet,
        #[serde(default, skip_serializing_if = "Stamped::is_empty")]
        timed: Stamped,
    },
    /// What the child of a `newly_true` was true of.
    WasTrue(PartitionSet),
    /// The code version.
    CodeVersion(String),
}

impl NodeState {
    /// Whether there is nothing to remember.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Since { untimed, timed } => untimed.is_empty() && timed.is_empty(),
            Self::WasTrue(partitions) => partitions.is_empty(),
            Self::CodeVersion(_) => false,
        }
    }
}

/// A node of a condition, from one evaluation to the next. It follows from what the condition says,
/// not from where in the program it is written.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct NodeId(u64);

impl NodeId {
    /// FNV-1a: small, and the same in every release of the compiler.
    pub(super) fn of(parts: &[&str]) -> Self {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for part in parts {
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

/// What ordinals of a definition mean, as far as a cursor must know: a set is worth nothing once its
/// ordinals name other keys, as when a definition gets another start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Shape {
    /// No partitions.
    Unpartitioned,
    /// Any keys: a key that is added gets a place of its own.
    Dynamic,
    /// The keys at some ordinals up to the last, hashed.
    Keys { last: u64, hash: NodeId },
}

impl Shape {
    /// The shape of a definition whose partitions are `all`.
    pub(super) fn of(
        definition: Option<&PartitionsDefinition>,
        all: &PartitionSet,
        context: &PartitionContext,
    ) -> Self {
        match definition {
            None => Self::Unpartitioned,
            Some(PartitionsDefinition::Dynamic(_)) => Self::Dynamic,
            Some(definition) => {
                let last = all.last().unwrap_or_default();
                Self::Keys {
                    last,
                    hash: hash_keys(definition, last, context),
                }
            }
        }
    }

    /// Whether ordinals still mean what they meant.
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

/// All keys of a list that a person wrote; of a definition that follows a rule, the first two, the
/// last, and those on the way that halve the rest.
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
    NodeId::of(&parts)
}
