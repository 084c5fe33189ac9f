//! Requests that cannot be planned.

use crate::{
    key::{AssetKey, CheckKey},
    mapping::InvalidMapping,
    partitions::{PartitionKey, UnknownPartition},
};

/// Why a request cannot be planned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// No asset is selected.
    #[error("the selection holds no asset: select at least one")]
    Nothing,
    /// A partitioned asset is selected, and no partitions are given.
    #[error(
        "asset `{asset}` is partitioned: say which partitions, such as `{example}`, \
         `{example}...{example}`, `latest`, `missing` or `all`"
    )]
    PartitionsNeeded {
        /// The asset.
        asset: AssetKey,
        /// One of its keys.
        example: String,
    },
    /// Partitions are given, and no selected asset has any.
    #[error("partitions are given, and none of the selected assets is partitioned: leave them out")]
    NotPartitioned,
    /// No selected asset has all of the keys.
    #[error("asset `{asset}`: {source}")]
    UnknownPartition {
        /// The first selected asset that is partitioned.
        asset: AssetKey,
        /// Which key, and what to write instead.
        source: UnknownPartition,
    },
    /// A range whose end comes before its start.
    #[error(
        "`{start}...{end}` is empty: `{end}` comes before `{start}`; write the earlier key first"
    )]
    EmptyRange {
        /// The first key.
        start: PartitionKey,
        /// The last key.
        end: PartitionKey,
    },
    /// Some of the assets of an op are selected that has to make all of them at once.
    #[error(
        "op `{op}` makes its assets at once: select {} as well, or let the op make some of its \
         assets only (`can_subset`)",
        keys(missing)
    )]
    IncompleteOp {
        /// The op.
        op: String,
        /// Its assets that are not selected.
        missing: Vec<AssetKey>,
    },
    /// Checks are left out that an op runs as part of making its assets.
    #[error(
        "check `{check}` is part of op `{op}` and cannot be left out: select it as well, or let \
         the op make some of its assets only (`can_subset`)"
    )]
    InlineCheck {
        /// The check.
        check: CheckKey,
        /// The op.
        op: String,
    },
    /// Something is made from upstream partitions that cannot exist.
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
    /// A blocking check waits for something that waits for the check.
    #[error(
        "op `{op}` waits for itself by way of a blocking check: the check reads an asset that is \
         made from the checked one; make the check non-blocking, or let it read something else"
    )]
    Circle {
        /// An op in the circle.
        op: String,
    },
    /// The plan names something that the project does not declare (any more).
    #[error("the plan names {what} `{name}`, which is not declared: make a new plan")]
    Stale {
        /// Op, asset or check.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// A mapping does not fit its two sides.
    #[error(transparent)]
    Mapping(#[from] InvalidMapping),
}

fn keys(keys: &[AssetKey]) -> String {
    let quoted: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
    quoted.join(", ")
}
