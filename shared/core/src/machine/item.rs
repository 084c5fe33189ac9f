//! [`Item`]: what goes through a stage.

use std::fmt;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::{
    key::{AssetKey, CheckKey},
    machine::StepName,
    partitions::{PartitionKey, PartitionSet},
};

/// One partition, or one batch of partitions, on its way through a stage. As JSON it is small, since
/// the input of an inline Map may hold 256 KiB in all:
/// `{"p":"2013-01-01","o":"365","steps":{"flights":{}}}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// The partition's key, or the first one's of a batch: for a person to read. `None` for an
    /// unpartitioned asset.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub key: Option<PartitionKey>,
    /// The partitions, by ordinal.
    #[serde(rename = "o", with = "ordinals")]
    pub partitions: PartitionSet,
    /// The steps of the stage that it takes, in their order.
    pub steps: IndexMap<StepName, ItemStep>,
}

/// How an item takes a step.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemStep {
    /// The part of the step's assets and checks that is wanted; `None` for all.
    #[serde(rename = "part", default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Part>,
    /// The partitions of a batch that the step is still wanted for, by ordinal; `None` for all of
    /// the item's.
    #[serde(
        rename = "o",
        default,
        skip_serializing_if = "Option::is_none",
        with = "ordinals::optional"
    )]
    pub partitions: Option<PartitionSet>,
}

impl Item {
    /// The partitions that the item takes a step for; `None` when it does not take the step.
    pub fn partitions_of(&self, step: &StepName) -> Option<&PartitionSet> {
        let step = self.steps.get(step)?;
        Some(step.partitions.as_ref().unwrap_or(&self.partitions))
    }
}

/// Some of a step's assets and checks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The assets.
    #[serde(rename = "a")]
    pub assets: Vec<AssetKey>,
    /// The checks.
    #[serde(rename = "c")]
    pub checks: Vec<CheckKey>,
}

/// Ordinals as people write them: `5-9,12`.
pub(crate) mod ordinals {
    use std::fmt::Write;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use super::{Ordinals, PartitionSet};

    pub(crate) fn serialize<S: Serializer>(
        set: &PartitionSet,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let mut text = String::new();
        for range in set.ranges() {
            let comma = if text.is_empty() { "" } else { "," };
            let last = range.end - 1;
            let written = match last == range.start {
                true => write!(text, "{comma}{last}"),
                false => write!(text, "{comma}{}-{last}", range.start),
            };
            written
                .map_err(|_| serde::ser::Error::custom("a set of ordinals cannot be written"))?;
        }
        serializer.serialize_str(&text)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<PartitionSet, D::Error> {
        let text = String::deserialize(deserializer)?;
        let Ordinals(set) = text.parse().map_err(D::Error::custom)?;
        Ok(set)
    }

    /// The same where there may be none.
    pub(crate) mod optional {
        use serde::{Deserializer, Serializer};

        use super::PartitionSet;

        pub(crate) fn serialize<S: Serializer>(
            set: &Option<PartitionSet>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            match set {
                Some(set) => super::serialize(set, serializer),
                None => serializer.serialize_none(),
            }
        }

        pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<Option<PartitionSet>, D::Error> {
            super::deserialize(deserializer).map(Some)
        }
    }
}

struct Ordinals(PartitionSet);

impl std::str::FromStr for Ordinals {
    type Err = InvalidOrdinals;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidOrdinals(text.to_owned());
        let mut set = PartitionSet::empty();
        for part in text.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let first: u64 = first.parse().map_err(|_| invalid())?;
            let last: u64 = last.parse().map_err(|_| invalid())?;
            if first > last || last == u64::MAX {
                return Err(invalid());
            }
            set.insert_range(first..last + 1);
        }
        Ok(Self(set))
    }
}

struct InvalidOrdinals(String);

impl fmt::Display for InvalidOrdinals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` names no partitions: write ordinals like `5-9,12`",
            self.0
        )
    }
}
