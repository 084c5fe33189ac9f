//! Requests that cannot be planned.

use crate::{
    key::{AssetKey, CheckKey},
    mapping::InvalidMapping,
    partitions::{PartitionKey, UnknownPartition},
    plan::DefinitionChange,
    prose::and_list,
};

/// An error that prevents planning a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
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
        /// The first partitioned asset of the selection.
        asset: AssetKey,
        /// The unknown key, and what to write instead.
        source: UnknownPartition,
    },
    /// A range whose end comes before its start.
    #[error(
        "`{start}...{end}` is empty: `{end}` comes before `{start}`; write the earlier key first",
        start = start.to_selector(),
        end = end.to_selector()
    )]
    EmptyRange {
        /// The first key.
        start: PartitionKey,
        /// The last key.
        end: PartitionKey,
    },
    /// Only some assets of an op are selected, and the op materializes all of them at once.
    #[error(
        "op `{op}` makes its assets at once: select {} as well, or let the op make some of its \
         assets only (`can_subset`)",
        quote_keys(missing)
    )]
    IncompleteOp {
        /// The op.
        op: String,
        /// Its assets that are not selected.
        missing: Vec<AssetKey>,
    },
    /// A check is left out that its op runs while materializing its assets.
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
    /// A partition depends on an upstream partition that cannot exist.
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
    /// A requested partition depends on an upstream window that does not exist yet.
    #[error(
        "asset `{asset}` needs partition `{key}` of `{upstream}`, which does not exist yet: request \
         the partition that needs it when that window exists"
    )]
    UpstreamToCome {
        /// The asset.
        asset: AssetKey,
        /// The upstream asset.
        upstream: AssetKey,
        /// The first key that does not exist yet.
        key: PartitionKey,
    },
    /// A blocking check waits for an op that waits for the check.
    #[error(
        "op `{op}` waits for itself through a blocking check: the check reads an asset that is \
         made from the checked one; make the check non-blocking, or let it read something else"
    )]
    Cycle {
        /// An op in the cycle.
        op: String,
    },
    /// The plan names an op, asset or check that the project no longer declares.
    #[error("the plan names {what} `{name}`, which is not declared: make a new plan")]
    Stale {
        /// The kind of the missing item: `op`, `asset` or `check`.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// The declarations have changed since the plan was made.
    #[error(transparent)]
    Outdated(Box<DefinitionChange>),
    /// A mapping does not fit the definitions on its two sides.
    #[error(transparent)]
    Mapping(#[from] InvalidMapping),
}

impl From<DefinitionChange> for PlanError {
    fn from(change: DefinitionChange) -> Self {
        Self::Outdated(Box::new(change))
    }
}

/// Lists keys: `` `a`, `b` and `c` ``.
fn quote_keys(keys: &[AssetKey]) -> String {
    let names: Vec<&str> = keys.iter().map(AssetKey::as_str).collect();
    and_list(&names)
}
