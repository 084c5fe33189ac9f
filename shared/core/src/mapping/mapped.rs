//! [`PartitionMapping`] and its two directions.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::partitions::{PartitionContext, PartitionKey, PartitionSet, PartitionsDefinition};

/// How the partitions of a downstream asset are made from those of an upstream asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum PartitionMapping {
    /// Each downstream partition from the upstream partition with the same key.
    Identity,
    /// Each downstream partition from all upstream partitions.
    All,
    /// Each downstream partition from the last upstream partition.
    Last,
    /// Each downstream window from the upstream windows that overlap it, both ends shifted by whole
    /// windows.
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
    /// One side has several dimensions, the other is one of them.
    MultiToSingle {
        /// The dimension; inferred when absent.
        #[serde(default)]
        dimension: Option<String>,
    },
    /// Several dimensions on both sides, each upstream dimension mapped to a downstream dimension.
    Multi {
        /// Upstream dimension name to how it is mapped.
        dims: BTreeMap<String, DimensionMapping>,
    },
}

/// How one upstream dimension is mapped in [`PartitionMapping::Multi`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Keys that the mapping needs and the upstream definition does not hold.
    pub nonexistent: Vec<PartitionKey>,
}

impl PartitionMapping {
    /// What Dagster picks when no mapping is given. `None` stands for an unpartitioned asset.
    pub fn infer(
        upstream: Option<&PartitionsDefinition>,
        downstream: Option<&PartitionsDefinition>,
    ) -> Self {
        let _ = (upstream, downstream);
        todo!()
    }

    /// Whether this mapping can stand between these definitions.
    ///
    /// # Errors
    /// [`InvalidMapping`] when it cannot, with what to write instead.
    pub fn validate(
        &self,
        upstream: Option<&PartitionsDefinition>,
        downstream: Option<&PartitionsDefinition>,
    ) -> Result<(), InvalidMapping> {
        let _ = (upstream, downstream);
        todo!()
    }

    /// The upstream partitions that `downstream_set` is made from.
    ///
    /// # Errors
    /// [`InvalidMapping`] as for [`Self::validate`].
    pub fn to_upstream(
        &self,
        downstream_set: &PartitionSet,
        downstream: Option<&PartitionsDefinition>,
        upstream: Option<&PartitionsDefinition>,
        context: &PartitionContext,
    ) -> Result<UpstreamPartitions, InvalidMapping> {
        let _ = (downstream_set, downstream, upstream, context);
        todo!()
    }

    /// The downstream partitions that are made from some of `upstream_set`.
    ///
    /// # Errors
    /// [`InvalidMapping`] as for [`Self::validate`].
    pub fn to_downstream(
        &self,
        upstream_set: &PartitionSet,
        upstream: Option<&PartitionsDefinition>,
        downstream: Option<&PartitionsDefinition>,
        context: &PartitionContext,
    ) -> Result<PartitionSet, InvalidMapping> {
        let _ = (upstream_set, upstream, downstream, context);
        todo!()
    }
}

/// A mapping that cannot stand between two definitions.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct InvalidMapping {
    /// Why not, and what to write instead.
    pub reason: String,
}
