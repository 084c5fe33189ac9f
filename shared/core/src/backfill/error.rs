//! Backfills that cannot be.

use crate::{
    key::AssetKey,
    mapping::InvalidMapping,
    partitions::{PartitionKey, UnknownPartition},
};

/// Why a backfill cannot be, or cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BackfillError {
    /// The assets that nothing else in the backfill precedes are divided in different ways.
    #[error(
        "partition keys cannot be given for assets that are divided in different ways: `{first}` \
         and `{second}` both come first in this backfill. Give ranges for each, or run one \
         backfill for each"
    )]
    RootsDiffer {
        /// One of them.
        first: AssetKey,
        /// Another.
        second: AssetKey,
    },
    /// Keys are given, and no asset has partitions.
    #[error(
        "partition keys are given, and no asset of the backfill is partitioned: leave them out"
    )]
    NotPartitioned,
    /// A key names no partition of the assets that come first.
    #[error("asset `{asset}`: {source}")]
    UnknownPartition {
        /// An asset that comes first.
        asset: AssetKey,
        /// Which key, and what to write instead.
        source: UnknownPartition,
    },
    /// Targeted partitions are made from upstream partitions that cannot exist.
    #[error(
        "asset `{asset}` needs partition `{key}` of `{upstream}`, which does not exist: leave out \
         the partitions that need it, or allow it with `allow_nonexistent_upstream_partitions`"
    )]
    NonexistentUpstream {
        /// The asset.
        asset: AssetKey,
        /// What it is made from.
        upstream: AssetKey,
        /// The first key that does not exist.
        key: PartitionKey,
    },
    /// There is no partition to begin with.
    #[error("nothing in the backfill can come first: asset `{asset}` is reached from nowhere")]
    NoRoots {
        /// An asset that nothing leads to.
        asset: AssetKey,
    },
    /// A mapping does not fit its two sides.
    #[error(transparent)]
    Mapping(#[from] InvalidMapping),
}
