//! [`PartitionMapping`] and its two directions.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{InvalidMapping, dimensions, infer, keyed, validate, windows};
use crate::partitions::{PartitionContext, PartitionKey, PartitionSet, PartitionsDefinition};

/// How the partitions of a downstream asset are made from those of an upstream asset.
///
/// ```
/// use precip_core::{
///     mapping::PartitionMapping,
///     partitions::{PartitionContext, PartitionSet, PartitionsDefinition, StaticPartitions},
/// };
///
/// let cities = PartitionsDefinition::from(StaticPartitions::new(["Newark", "New York"])?);
/// let airports = PartitionsDefinition::from(StaticPartitions::new(["EWR", "JFK", "LGA"])?);
/// let mapping: PartitionMapping = serde_json::from_str(
///     r#"{"type": "static", "map": {"Newark": ["EWR"], "New York": ["JFK", "LGA"]}}"#,
/// )?;
/// mapping.validate(Some(&cities), Some(&airports))?;
///
/// let context = PartitionContext::at(chrono::DateTime::UNIX_EPOCH);
/// let kennedy = PartitionSet::single(airports.ordinal(&"JFK".into(), &context)?);
/// let made_from = mapping.to_upstream(&kennedy, Some(&airports), Some(&cities), &context)?;
/// assert_eq!(made_from.existing, PartitionSet::single(1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum PartitionMapping {
    /// Each downstream partition from the upstream partition with the same key.
    Identity,
    /// Each downstream partition from all upstream partitions.
    All,
    /// Each downstream partition from the last upstream partition.
    Last,
    /// Each downstream window from the upstream windows that overlap it, both ends shifted by whole
    /// windows of the downstream definition.
    TimeWindow {
        /// Windows by which the first upstream window is shifted; negative is earlier.
        #[serde(default)]
        start_offset: i64,
        /// Windows by which the last upstream window is shifted; negative is earlier.
        #[serde(default)]
        end_offset: i64,
        /// Whether upstream windows that do not exist are left out instead of being an error.
        #[serde(default)]
        allow_nonexistent_upstream_partitions: bool,
    },
    /// Each downstream partition from these upstream partitions.
    Specific {
        /// The upstream keys.
        keys: Vec<PartitionKey>,
    },
    /// Upstream key to the downstream keys that are made from it.
    Static {
        /// Upstream key to downstream keys.
        map: BTreeMap<PartitionKey, BTreeSet<PartitionKey>>,
    },
    /// One side has several dimensions, the other is one of them, or both are by time. A partition
    /// of the one is made from (or makes) all combinations with it.
    MultiToSingle {
        /// The dimension. As in Dagster 1.13 it only decides where several dimensions fit, and is
        /// inferred when absent.
        #[serde(default)]
        dimension: Option<String>,
    },
    /// Several dimensions on both sides, each upstream dimension mapped to a downstream dimension.
    /// Dimensions that are not mentioned are mapped all to all.
    Multi {
        /// Upstream dimension name to how it is mapped.
        dims: BTreeMap<String, DimensionMapping>,
    },
}

/// How one upstream dimension is mapped in [`PartitionMapping::Multi`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DimensionMapping {
    /// The downstream dimension.
    pub downstream_dimension: String,
    /// How keys of the two dimensions correspond.
    pub mapping: PartitionMapping,
}

/// What some downstream partitions are made from.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UpstreamPartitions {
    /// The upstream partitions that exist.
    pub existing: PartitionSet,
    /// Keys that the mapping needs and the upstream definition does not hold, sorted. For an
    /// upstream of several dimensions they are keys of the dimension in which they are missing.
    pub nonexistent: Vec<PartitionKey>,
}

impl UpstreamPartitions {
    pub(super) fn existing(existing: PartitionSet) -> Self {
        Self {
            existing,
            nonexistent: Vec::new(),
        }
    }

    pub(super) fn new(existing: PartitionSet, nonexistent: BTreeSet<PartitionKey>) -> Self {
        Self {
            existing,
            nonexistent: nonexistent.into_iter().collect(),
        }
    }
}

impl PartitionMapping {
    /// The default mapping between time windows: those that overlap, none missing.
    pub const OVERLAPPING: Self = Self::TimeWindow {
        start_offset: 0,
        end_offset: 0,
        allow_nonexistent_upstream_partitions: false,
    };

    /// What Dagster picks when no mapping is given. `None` stands for an unpartitioned asset.
    ///
    /// - Either side unpartitioned: [`Self::All`].
    /// - One side of several dimensions, and the other equal to exactly one of them, or both by time
    ///   and only one dimension is: [`Self::MultiToSingle`].
    /// - Both sides time windows, of whatever cadence: [`Self::TimeWindow`] without offsets.
    /// - Everything else: [`Self::Identity`].
    pub fn infer(
        upstream: Option<&PartitionsDefinition>,
        downstream: Option<&PartitionsDefinition>,
    ) -> Self {
        infer::infer(upstream, downstream)
    }

    /// The name of Dagster's class for this mapping.
    pub fn dagster_name(&self) -> &'static str {
        match self {
            Self::Identity => "IdentityPartitionMapping",
            Self::All => "AllPartitionMapping",
            Self::Last => "LastPartitionMapping",
            Self::TimeWindow { .. } => "TimeWindowPartitionMapping",
            Self::Specific { .. } => "SpecificPartitionsPartitionMapping",
            Self::Static { .. } => "StaticPartitionMapping",
            Self::MultiToSingle { .. } => "MultiToSingleDimensionPartitionMapping",
            Self::Multi { .. } => "MultiPartitionMapping",
        }
    }

    /// Whether each partition is made from the partition with its own ordinal and from nothing else,
    /// so that both assets can be made in one step.
    pub fn is_identity_between(
        &self,
        upstream: Option<&PartitionsDefinition>,
        downstream: Option<&PartitionsDefinition>,
    ) -> bool {
        let (Some(upstream), Some(downstream)) = (upstream, downstream) else {
            return upstream.is_none() && downstream.is_none();
        };
        if upstream != downstream {
            return false;
        }
        match self {
            Self::Identity => true,
            Self::TimeWindow {
                start_offset: 0,
                end_offset: 0,
                ..
            } => {
                matches!(upstream, PartitionsDefinition::TimeWindow(_))
            }
            Self::Multi { dims } => match upstream {
                PartitionsDefinition::Multi(multi) => {
                    multi.dimensions().all(|(name, dimension)| {
                        dims.get(name).is_some_and(|mapped| {
                            mapped.downstream_dimension == name
                                && mapped
                                    .mapping
                                    .is_identity_between(Some(dimension), Some(dimension))
                        })
                    })
                }
                _ => false,
            },
            _ => false,
        }
    }

    /// Whether this mapping can stand between these definitions. Between an unpartitioned upstream
    /// and anything, every mapping can: there is one partition to be made from.
    ///
    /// # Errors
    /// [`InvalidMapping`] when it cannot, with what to write instead.
    pub fn validate(
        &self,
        upstream: Option<&PartitionsDefinition>,
        downstream: Option<&PartitionsDefinition>,
    ) -> Result<(), InvalidMapping> {
        validate::validate(self, upstream, downstream)
    }

    /// The upstream partitions that `downstream_set` is made from.
    ///
    /// # Errors
    /// [`InvalidMapping`] where the mapping has no answer for these definitions; never after
    /// [`Self::validate`] accepted them.
    pub fn to_upstream(
        &self,
        downstream_set: &PartitionSet,
        downstream: Option<&PartitionsDefinition>,
        upstream: Option<&PartitionsDefinition>,
        context: &PartitionContext,
    ) -> Result<UpstreamPartitions, InvalidMapping> {
        let Some(upstream) = upstream else {
            return Ok(UpstreamPartitions::existing(PartitionSet::single(0)));
        };
        match self {
            Self::All => Ok(UpstreamPartitions::existing(upstream.all(context))),
            Self::Last => Ok(UpstreamPartitions::existing(
                upstream
                    .last(context)
                    .map(PartitionSet::single)
                    .unwrap_or_default(),
            )),
            Self::Specific { keys } => Ok(keyed::specific(keys, upstream, context)),
            Self::Identity => keyed::identity_up(downstream_set, downstream, upstream, context),
            Self::Static { map } => keyed::static_up(map, downstream_set, downstream, upstream),
            Self::TimeWindow { .. } => {
                windows::to_upstream(self, downstream_set, downstream, upstream, context)
            }
            Self::MultiToSingle { .. } | Self::Multi { .. } => {
                dimensions::to_upstream(self, downstream_set, downstream, upstream, context)
            }
        }
    }

    /// The downstream partitions that are made from some of `upstream_set`.
    ///
    /// # Errors
    /// [`InvalidMapping`] as for [`Self::to_upstream`].
    pub fn to_downstream(
        &self,
        upstream_set: &PartitionSet,
        upstream: Option<&PartitionsDefinition>,
        downstream: Option<&PartitionsDefinition>,
        context: &PartitionContext,
    ) -> Result<PartitionSet, InvalidMapping> {
        let all = || match downstream {
            Some(downstream) => downstream.all(context),
            None => PartitionSet::single(0),
        };
        let all_if = |touched: bool| {
            if touched {
                all()
            } else {
                PartitionSet::empty()
            }
        };
        let Some(upstream) = upstream else {
            return Ok(all_if(!upstream_set.is_empty()));
        };
        match self {
            Self::All => Ok(all_if(!upstream_set.is_empty())),
            Self::Last => {
                let last = upstream.last(context);
                Ok(all_if(last.is_some_and(|last| upstream_set.contains(last))))
            }
            Self::Specific { keys } => {
                let wanted = keyed::specific(keys, upstream, context).existing;
                Ok(all_if(!wanted.is_disjoint(upstream_set)))
            }
            Self::Identity => keyed::identity_down(upstream_set, upstream, downstream, context),
            Self::Static { map } => keyed::static_down(map, upstream_set, upstream, downstream),
            Self::TimeWindow { .. } => {
                windows::to_downstream(self, upstream_set, upstream, downstream, context)
            }
            Self::MultiToSingle { .. } | Self::Multi { .. } => {
                dimensions::to_downstream(self, upstream_set, upstream, downstream, context)
            }
        }
    }
}
