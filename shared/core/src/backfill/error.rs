//! Backfills that cannot run.

use crate::{
    key::AssetKey,
    mapping::InvalidMapping,
    partitions::{PartitionKey, UnknownPartition},
};

/// An error that prevents a backfill from starting or from continuing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BackfillError {
    /// The root assets of the backfill have different partitions definitions.
    #[error(
        "the partition keys fit only one partitions definition, and the root assets `{first}` and \
         `{second}` of this backfill have different ones: give ranges for each, or run one backfill \
         for each"
    )]
    RootsDiffer {
        /// One root asset.
        first: AssetKey,
        /// Another root asset.
        second: AssetKey,
    },
    /// Keys are given, and no asset is partitioned.
    #[error(
        "partition keys are given, and no asset of the backfill is partitioned: leave them out"
    )]
    NotPartitioned,
    /// A key names no partition of the root assets.
    #[error("asset `{asset}`: {source}")]
    UnknownPartition {
        /// A root asset.
        asset: AssetKey,
        /// The unknown key, and what to write instead.
        source: UnknownPartition,
    },
    /// A targeted partition depends on an upstream partition that cannot exist.
    #[error(
        "asset `{asset}` needs partition `{key}` of `{upstream}`, which does not exist: {advice}"
    )]
    NonexistentUpstream {
        /// The asset.
        asset: AssetKey,
        /// The upstream asset.
        upstream: AssetKey,
        /// The first key that does not exist.
        key: PartitionKey,
        /// What to write instead.
        advice: String,
    },
    /// No targeted partition can start the backfill.
    #[error("nothing can start the backfill: no partition of it leads to asset `{asset}`")]
    NoRoots {
        /// An asset that no root reaches.
        asset: AssetKey,
    },
    /// A mapping does not fit the definitions on its two sides.
    #[error(transparent)]
    Mapping(#[from] InvalidMapping),
}
