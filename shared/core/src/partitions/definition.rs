//! [`PartitionsDefinition`]: a definition of any kind, and the operations of all kinds.

#[cfg(test)]
mod tests;

use std::{fmt, iter};

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    DynamicPartitions, MultiPartitions, PartitionContext, PartitionKey, PartitionSet,
    StaticPartitions, TimeWindowPartitions, UnknownPartition, unknown,
};

/// The division of an asset's data into partitions. It is a value that several assets can share.
///
/// ```
/// use precip_core::partitions::{PartitionContext, PartitionsDefinition, StaticPartitions};
///
/// let origins = PartitionsDefinition::from(StaticPartitions::new(["EWR", "JFK", "LGA"])?);
/// let context = PartitionContext::at(chrono::DateTime::UNIX_EPOCH);
/// assert_eq!(origins.ordinal(&"LGA".into(), &context)?, 2);
/// assert_eq!(
///     origins.ordinal(&"LGB".into(), &context).unwrap_err().to_string(),
///     "there is no partition `LGB`: did you mean `LGA`? The keys are `EWR`, `JFK` and `LGA`",
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[expect(
    clippy::large_enum_variant,
    reason = "there are few definitions, and assets share them behind an Arc"
)]
pub enum PartitionsDefinition {
    /// A fixed list of keys.
    Static(StaticPartitions),
    /// One key per window of time.
    TimeWindow(TimeWindowPartitions),
    /// The product of several dimensions.
    Multi(MultiPartitions),
    /// Keys that are added and removed at run time.
    Dynamic(DynamicPartitions),
}

impl PartitionsDefinition {
    /// Returns the existing partitions.
    pub fn all(&self, context: &PartitionContext) -> PartitionSet {
        match self {
            Self::Static(keys) => PartitionSet::from(0..keys.count()),
            Self::TimeWindow(windows) => PartitionSet::from(0..windows.count(context.now)),
            Self::Multi(multi) => multi.all(context),
            Self::Dynamic(dynamic) => dynamic
                .recorded_keys(context)
                .map(|slots| slots.iter().map(|(ordinal, _)| ordinal).collect())
                .unwrap_or_default(),
        }
    }

    /// Returns the number of existing partitions.
    pub fn count(&self, context: &PartitionContext) -> u64 {
        match self {
            Self::Static(keys) => keys.count(),
            Self::TimeWindow(windows) => windows.count(context.now),
            Self::Multi(multi) => multi.count(context),
            Self::Dynamic(_) => self.all(context).len(),
        }
    }

    /// Returns true if a key names an existing partition.
    pub fn contains(&self, key: &str, context: &PartitionContext) -> bool {
        self.find(key, context).is_some()
    }

    /// Returns the ordinal of an existing partition's key: [`Self::ordinal`] without an
    /// explanation.
    pub fn find(&self, key: &str, context: &PartitionContext) -> Option<u64> {
        match self {
            Self::Static(keys) => keys.ordinal(key),
            // The schedule goes on forever; only its first windows exist.
            Self::TimeWindow(windows) => windows
                .ordinal(key)
                .filter(|&ordinal| ordinal < windows.count(context.now)),
            Self::Multi(multi) => {
                let parts = multi.split_key(key)?;
                let ordinals: Option<Vec<u64>> = iter::zip(multi.dimensions(), parts)
                    .map(|((_, dimension), part)| dimension.find(part, context))
                    .collect();
                multi.ordinal_of(&ordinals?)
            }
            Self::Dynamic(dynamic) => dynamic.recorded_keys(context)?.ordinal(key),
        }
    }

    /// Returns true if a key names a partition that is to come: a window that does not exist yet and
    /// will, as time passes.
    pub fn is_to_come(&self, key: &str, context: &PartitionContext) -> bool {
        match self {
            Self::TimeWindow(windows) => {
                let ordinal = windows.ordinal(key);
                ordinal.is_some_and(|ordinal| ordinal >= windows.count(context.now))
                    && ordinal
                        .and_then(|ordinal| windows.window(ordinal))
                        .is_some_and(|window| windows.end().is_none_or(|end| window.end <= end))
            }
            Self::Multi(multi) => multi.split_key(key).is_some_and(|parts| {
                !self.contains(key, context)
                    && iter::zip(multi.dimensions(), parts).all(|((_, dimension), part)| {
                        dimension.contains(part, context) || dimension.is_to_come(part, context)
                    })
            }),
            Self::Static(_) | Self::Dynamic(_) => false,
        }
    }

    /// Returns the moment after `now` at which time adds the next partition; `None` if it adds none.
    /// The moment may be early, and is never late.
    pub fn next_growth(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            Self::TimeWindow(windows) => windows.next_growth(now),
            Self::Multi(multi) => multi
                .dimensions()
                .filter_map(|(_, dimension)| dimension.next_growth(now))
                .min(),
            Self::Static(_) | Self::Dynamic(_) => None,
        }
    }

    /// Returns the ordinal of an existing partition's key.
    ///
    /// # Errors
    /// [`UnknownPartition`], which shows the form of a key and similar existing keys.
    pub fn ordinal(
        &self,
        key: &PartitionKey,
        context: &PartitionContext,
    ) -> Result<u64, UnknownPartition> {
        self.find(key.as_str(), context)
            .ok_or_else(|| unknown::explain_unknown(self, key, context))
    }

    /// Returns the key of an ordinal, even if its window does not exist yet, or `None` if the
    /// ordinal has no key (a removed dynamic key, or an ordinal past the end).
    pub fn key(&self, ordinal: u64, context: &PartitionContext) -> Option<PartitionKey> {
        match self {
            Self::Static(keys) => keys.key(ordinal).cloned(),
            Self::TimeWindow(windows) => windows.key(ordinal),
            Self::Multi(multi) => multi.key(ordinal, context),
            Self::Dynamic(dynamic) => dynamic.recorded_keys(context)?.key(ordinal).cloned(),
        }
    }

    /// Returns the key of an ordinal, or the key that it had before that was removed from its
    /// dynamic set.
    pub fn former_key(&self, ordinal: u64, context: &PartitionContext) -> Option<PartitionKey> {
        match self {
            Self::Dynamic(dynamic) => {
                let keys = dynamic.recorded_keys(context)?;
                keys.key(ordinal)
                    .or_else(|| keys.removed_key(ordinal))
                    .cloned()
            }
            Self::Multi(multi) => multi.former_key(ordinal, context),
            Self::Static(_) | Self::TimeWindow(_) => self.key(ordinal, context),
        }
    }

    /// Returns the names of the dynamic sets that the definition uses.
    pub fn dynamic_sets(&self) -> Vec<&str> {
        match self {
            Self::Dynamic(dynamic) => vec![&dynamic.name],
            Self::Multi(multi) => multi
                .dimensions()
                .flat_map(|(_, dimension)| dimension.dynamic_sets())
                .collect(),
            Self::Static(_) | Self::TimeWindow(_) => Vec::new(),
        }
    }

    /// Returns the keys of a set in the definition's own order. For a multi-dimensional definition,
    /// this is not ordinal order but the product with the last dimension by name fastest.
    pub fn keys<'a>(
        &'a self,
        set: &'a PartitionSet,
        context: &'a PartitionContext,
    ) -> Box<dyn Iterator<Item = PartitionKey> + 'a> {
        match self {
            Self::Multi(multi) => multi.keys(set, context),
            // Run by run, because the windows of one day are computed together.
            Self::TimeWindow(windows) => Box::new(set.ranges().flat_map(|run| windows.keys(run))),
            _ => Box::new(set.iter().filter_map(|ordinal| self.key(ordinal, context))),
        }
    }

    /// Returns the ordinal of the last partition in the definition's own order.
    pub fn last(&self, context: &PartitionContext) -> Option<u64> {
        match self {
            Self::Multi(multi) => multi.last(context),
            _ => self.all(context).last(),
        }
    }

    /// Returns the partitions of `start...end`, both inclusive: a slice in the definition's order,
    /// or for multi-dimensional definitions the product of the slices of each dimension. The set is
    /// empty if `end` comes before `start`. As in Dagster, an end may be written with fewer digits
    /// than the key of its window has, like `2013-01-05-0:00`.
    ///
    /// # Errors
    /// [`UnknownPartition`] if either end does not exist.
    pub fn range(
        &self,
        start: &PartitionKey,
        end: &PartitionKey,
        context: &PartitionContext,
    ) -> Result<PartitionSet, UnknownPartition> {
        let bound = |key: &PartitionKey| {
            self.find_bound(key.as_str(), context)
                .ok_or_else(|| unknown::explain_unknown(self, key, context))
        };
        let (first, last) = (bound(start)?, bound(end)?);
        let all = self.all(context);
        let Self::Multi(multi) = self else {
            return Ok(&all & &ordinal_slice(first, last));
        };
        // Ordinals are not in key order here, so slice each dimension by itself.
        let sides: Option<Vec<PartitionSet>> = multi
            .ordinals_of(first)
            .zip(multi.ordinals_of(last))
            .map(|(first, last)| {
                iter::zip(first, last)
                    .map(|(a, b)| ordinal_slice(a, b))
                    .collect()
            });
        Ok(sides
            .map(|sides| &all & &multi.product(&sides))
            .unwrap_or_default())
    }

    /// Returns the ordinal of an end of a range.
    fn find_bound(&self, text: &str, context: &PartitionContext) -> Option<u64> {
        if let Some(found) = self.find(text, context) {
            return Some(found);
        }
        match self {
            // Only a text that names the very start of a window is taken for its key.
            Self::TimeWindow(windows) => windows
                .ordinal_at(windows.parse_moment(text)?)
                .filter(|&ordinal| ordinal < windows.count(context.now)),
            Self::Multi(multi) => {
                let parts = multi.split_key(text)?;
                let ordinals: Option<Vec<u64>> = iter::zip(multi.dimensions(), parts)
                    .map(|((_, dimension), part)| dimension.find_bound(part, context))
                    .collect();
                multi.ordinal_of(&ordinals?)
            }
            Self::Static(_) | Self::Dynamic(_) => None,
        }
    }
}

fn ordinal_slice(first: u64, last: u64) -> PartitionSet {
    if first <= last {
        PartitionSet::from(first..last + 1)
    } else {
        PartitionSet::empty()
    }
}

/// Formats as ``the keys `EWR` and `JFK` ``, `daily windows in UTC from 2024-01-01`, ``the dynamic
/// set `shops` `` or ``the dimensions `day` (..) and `shop` (..)``.
impl fmt::Display for PartitionsDefinition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Static(keys) => write!(f, "{keys}"),
            Self::TimeWindow(windows) => write!(f, "{windows}"),
            Self::Dynamic(dynamic) => write!(f, "the dynamic set `{}`", dynamic.name),
            Self::Multi(multi) => {
                f.write_str("the dimensions ")?;
                let last = multi.dimensions().len() - 1;
                for (index, (name, dimension)) in multi.dimensions().enumerate() {
                    let comma = match index {
                        0 => "",
                        _ if index == last => " and ",
                        _ => ", ",
                    };
                    write!(f, "{comma}`{name}` ({dimension})")?;
                }
                Ok(())
            }
        }
    }
}

impl From<StaticPartitions> for PartitionsDefinition {
    fn from(partitions: StaticPartitions) -> Self {
        Self::Static(partitions)
    }
}

impl From<TimeWindowPartitions> for PartitionsDefinition {
    fn from(partitions: TimeWindowPartitions) -> Self {
        Self::TimeWindow(partitions)
    }
}

impl From<MultiPartitions> for PartitionsDefinition {
    fn from(partitions: MultiPartitions) -> Self {
        Self::Multi(partitions)
    }
}

impl From<DynamicPartitions> for PartitionsDefinition {
    fn from(partitions: DynamicPartitions) -> Self {
        Self::Dynamic(partitions)
    }
}
