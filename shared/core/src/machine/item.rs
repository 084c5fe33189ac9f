//! [`Item`]: the unit of work that passes through a stage.

use std::fmt;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::{
    key::{AssetKey, CheckKey},
    machine::StepName,
    partitions::{PartitionKey, PartitionSet},
};

/// One partition, or one batch of partitions, on its way through a stage. Its JSON form is small,
/// since the input of an inline Map may hold 256 KiB in all:
/// `{"p":"2013-01-01","o":"365","steps":{"flights":{}}}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// The key of the partition, or of the first partition of a batch, for display. `None` for an
    /// unpartitioned asset.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub key: Option<PartitionKey>,
    /// The partitions, by ordinal.
    #[serde(rename = "o", with = "ordinals")]
    pub partitions: PartitionSet,
    /// The steps of the stage that the item takes, in the stage's order.
    pub steps: IndexMap<StepName, ItemStep>,
}

/// The part of a step that an item takes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemStep {
    /// The requested assets and checks of the step; `None` for all.
    #[serde(rename = "part", default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Part>,
    /// The partitions that the step runs for, by ordinal; `None` for all partitions of the item.
    #[serde(
        rename = "o",
        default,
        skip_serializing_if = "Option::is_none",
        with = "ordinals::optional"
    )]
    pub partitions: Option<PartitionSet>,
}

impl Item {
    /// Returns the partitions that a step runs for; `None` when the item does not take the step.
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

/// Serializes a partition set as a list of ordinals and ranges: `5-9,12`.
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
            let appended = if last == range.start {
                write!(text, "{comma}{last}")
            } else {
                write!(text, "{comma}{}-{last}", range.start)
            };
            appended
                .map_err(|_| serde::ser::Error::custom("failed to format a set of ordinals"))?;
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

    /// Serializes an optional partition set in the same form.
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

/// A partition set that parses from its text form.
struct Ordinals(PartitionSet);

impl std::str::FromStr for Ordinals {
    type Err = InvalidOrdinals;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidOrdinals(text.to_owned());
        let mut set = PartitionSet::empty();
        for part in text.split(',') {
            let (start, end) = part.split_once('-').unwrap_or((part, part));
            let first: u64 = start.parse().map_err(|_| invalid())?;
            let last: u64 = end.parse().map_err(|_| invalid())?;
            if first > last || last == u64::MAX {
                return Err(invalid());
            }
            set.insert_range(first..last + 1);
        }
        Ok(Self(set))
    }
}

/// A text that is not a list of ordinals.
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
