//! [`PartitionMapping`]: the relation between the partitions of two assets, in both directions.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{InvalidMapping, dimensions, infer, keyed, validate, windows};
use crate::partitions::{PartitionContext, PartitionKey, PartitionSet, PartitionsDefinition};

/// The relation between the partitions of a downstream asset and the upstream partitions that they
/// are made from.
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
        /// True if upstream windows that do not exist are omitted; otherwise they are an error.
        #[serde(default)]
        allow_nonexistent_upstream_partitions: bool,
    },
    /// Each downstream partition from these upstream partitions.
    Specific {
        /// The upstream keys.
        keys: Vec<PartitionKey>,
    },
    /// Each downstream partition from the upstream partitions that a table relates it to.
    Static {
        /// The downstream keys made from each upstream key.
        map: BTreeMap<PartitionKey, BTreeSet<PartitionKey>>,
    },
    /// A mapping between a side of several dimensions and a side that equals one of them, or
    /// between the time dimensions of both. A partition corresponds to all combinations that
    /// contain it.
    MultiToSingle {
        /// The dimension's name. As in Dagster 1.13, it matters only if several dimensions fit, and
        /// is inferred otherwise.
        #[serde(default)]
        dimension: Option<String>,
    },
    /// A mapping between two sides of several dimensions, each upstream dimension mapped to a
    /// downstream dimension. Dimensions that are not listed are mapped all to all.
    Multi {
        /// The mapping of each upstream dimension, by name.
        dims: BTreeMap<String, DimensionMapping>,
    },
}

/// The mapping of one upstream dimension in [`PartitionMapping::Multi`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DimensionMapping {
    /// The downstream dimension.
    pub downstream_dimension: String,
    /// The mapping between the keys of the two dimensions.
    pub mapping: PartitionMapping,
}

/// The upstream partitions that a set of downstream partitions is made from.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UpstreamPartitions {
    /// The upstream partitions that exist.
    pub existing: PartitionSet,
    /// The keys that the mapping needs but the upstream definition lacks, sorted. For an upstream
    /// of several dimensions, they are keys of the dimension that lacks them.
    pub nonexistent: Vec<PartitionKey>,
}

impl UpstreamPartitions {
    pub(super) fn from_existing(existing: PartitionSet) -> Self {
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
    /// The default mapping between time windows: all overlapping windows, which must exist.
    pub const OVERLAPPING: Self = Self::TimeWindow {
        start_offset: 0,
        end_offset: 0,
        allow_nonexistent_upstream_partitions: false,
    };

    /// Returns the mapping that Dagster uses if none is given. `None` is an unpartitioned asset.
    ///
    /// - Either side unpartitioned: [`Self::All`].
    /// - One side of several dimensions, and the other either equal to exactly one of them, or of
    ///   time windows where exactly one dimension is: [`Self::MultiToSingle`].
    /// - Both sides time windows, of any cadence: [`Self::TimeWindow`] without offsets.
    /// - Everything else: [`Self::Identity`].
    pub fn infer(
        upstream: Option<&PartitionsDefinition>,
        downstream: Option<&PartitionsDefinition>,
    ) -> Self {
        infer::infer_mapping(upstream, downstream)
    }

    /// Returns the name of Dagster's class for this mapping.
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

    /// Returns true if each partition is made only from the partition with the same ordinal, so
    /// that both assets can be materialized in one stage.
    pub fn is_identity_between(
        &self,
        upstream: Option<&PartitionsDefinition>,
        downstream: Option<&PartitionsDefinition>,
    ) -> bool {
        let (Some(upstream), Some(downstream)) = (upstream, downstream) else {
            return upstream.is_none() && downstream.is_none();
        };
        // Different definitions number their partitions differently.
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
            // Every dimension must be mapped to itself by an identity; an unlisted one is all to
            // all.
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

    /// Checks that this mapping fits these definitions. Every mapping fits an unpartitioned
    /// upstream, which has a single partition.
    ///
    /// # Errors
    /// [`InvalidMapping`] if it does not fit, with advice on what to write instead.
    pub fn validate(
        &self,
        upstream: Option<&PartitionsDefinition>,
        downstream: Option<&PartitionsDefinition>,
    ) -> Result<(), InvalidMapping> {
        validate::validate_mapping(self, upstream, downstream)
    }

    /// Returns the upstream partitions that `downstream_set` is made from.
    ///
    /// # Errors
    /// [`InvalidMapping`] if the mapping does not fit these definitions; never after
    /// [`Self::validate`] accepted them.
    pub fn to_upstream(
        &self,
        downstream_set: &PartitionSet,
        downstream: Option<&PartitionsDefinition>,
        upstream: Option<&PartitionsDefinition>,
        context: &PartitionContext,
    ) -> Result<UpstreamPartitions, InvalidMapping> {
        // An unpartitioned upstream is one partition, which everything is made from.
        let Some(upstream) = upstream else {
            return Ok(UpstreamPartitions::from_existing(PartitionSet::single(0)));
        };
        match self {
            Self::All => Ok(UpstreamPartitions::from_existing(upstream.all(context))),
            Self::Last => Ok(UpstreamPartitions::from_existing(
                upstream
                    .last(context)
                    .map(PartitionSet::single)
                    .unwrap_or_default(),
            )),
            Self::Specific { keys } => Ok(keyed::specific_up(keys, upstream, context)),
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

    /// Returns the keys of upstream partitions that `downstream_set` needs and that are to come:
    /// windows that do not exist at the moment of the context, and will. They are the reason to
    /// wait, where [`Self::to_upstream`] clips a shifted span at the present.
    ///
    /// Nothing is to come for a mapping that allows nonexistent upstream partitions, nor for
    /// [`Self::All`] and [`Self::Last`], which mean the partitions of the moment. For an upstream of
    /// several dimensions, the keys are those of a dimension.
    ///
    /// # Errors
    /// [`InvalidMapping`] as for [`Self::to_upstream`].
    pub fn upstream_to_come(
        &self,
        downstream_set: &PartitionSet,
        downstream: Option<&PartitionsDefinition>,
        upstream: Option<&PartitionsDefinition>,
        context: &PartitionContext,
    ) -> Result<Vec<PartitionKey>, InvalidMapping> {
        let Some(definition) = upstream else {
            return Ok(Vec::new());
        };
        match self {
            Self::All | Self::Last | Self::Static { .. } => Ok(Vec::new()),
            Self::Specific { .. } | Self::Identity => {
                let above = self.to_upstream(downstream_set, downstream, upstream, context)?;
                let nonexistent = above.nonexistent.into_iter();
                Ok(nonexistent
                    .filter(|key| definition.is_to_come(key.as_str(), context))
                    .collect())
            }
            Self::TimeWindow { .. } => {
                windows::upstream_to_come(self, downstream_set, downstream, upstream, context)
            }
            Self::MultiToSingle { .. } | Self::Multi { .. } => {
                dimensions::upstream_to_come(self, downstream_set, downstream, definition, context)
            }
        }
    }

    /// Returns true if a downstream partition may exist before an upstream window that it needs, so that
    /// it has to wait.
    pub fn can_wait(
        &self,
        upstream: Option<&PartitionsDefinition>,
        downstream: Option<&PartitionsDefinition>,
    ) -> bool {
        let grows = match upstream {
            Some(PartitionsDefinition::TimeWindow(_)) => true,
            Some(PartitionsDefinition::Multi(multi)) => multi
                .dimensions()
                .any(|(_, dimension)| matches!(dimension, PartitionsDefinition::TimeWindow(_))),
            Some(PartitionsDefinition::Static(_) | PartitionsDefinition::Dynamic(_)) | None => {
                false
            }
        };
        let needs_later = match self {
            Self::All | Self::Last | Self::Static { .. } => false,
            Self::TimeWindow {
                allow_nonexistent_upstream_partitions,
                ..
            } => !allow_nonexistent_upstream_partitions,
            _ => true,
        };
        grows && needs_later && !self.is_identity_between(upstream, downstream)
    }

    /// Returns what to write instead when an upstream partition of this mapping can never exist.
    pub fn nonexistent_advice(&self, upstream: Option<&PartitionsDefinition>) -> String {
        let leave_out = "leave out the partitions that need it";
        match (self, upstream) {
            (Self::TimeWindow { .. }, _) => {
                format!("{leave_out}, or allow it with `allow_nonexistent_upstream_partitions`")
            }
            (Self::Multi { dims }, _)
                if dims
                    .values()
                    .any(|dim| matches!(dim.mapping, Self::TimeWindow { .. })) =>
            {
                format!(
                    "{leave_out}, or allow it with `allow_nonexistent_upstream_partitions` in the \
                     mapping of its time dimension"
                )
            }
            (Self::Specific { .. }, _) => "name keys that exist in the mapping".to_owned(),
            (_, Some(PartitionsDefinition::Dynamic(dynamic))) => format!(
                "{leave_out}, or add its key to the dynamic set first (`dynamic {} add KEY`)",
                dynamic.name
            ),
            (Self::Identity, Some(PartitionsDefinition::Static(_))) => format!(
                "{leave_out}, or give the dependency a `static` mapping, which lists the keys that \
                 are made from each upstream key"
            ),
            _ => leave_out.to_owned(),
        }
    }

    /// Returns the downstream partitions that are made from any of `upstream_set`.
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
        // These mappings relate every downstream partition to the same upstream partitions.
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
                let required = keyed::specific_up(keys, upstream, context).existing;
                Ok(all_if(!required.is_disjoint(upstream_set)))
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
