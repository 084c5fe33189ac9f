//! [`DefinitionChange`]: a reason why a stored plan does not fit the current declarations.

use std::fmt;

use crate::{
    key::AssetKey,
    partitions::{PartitionKey, PartitionsDefinition},
    prose::and_list,
};

/// A change of the declarations after a plan was made, which keeps the plan from being used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DefinitionChange {
    /// Planned keys no longer exist.
    #[error(
        "{} since the run was planned: {}; {}, or start a new run with `materialize`",
        gone(asset, keys, *count),
        Difference { before, now },
        add_again(set.as_deref(), keys, *count)
    )]
    KeysGone {
        /// The asset.
        asset: AssetKey,
        /// The first of the keys; empty where they are not known.
        keys: Vec<PartitionKey>,
        /// The number of the keys.
        count: u64,
        /// The partitions when the run was planned.
        before: String,
        /// The partitions now.
        now: String,
        /// The dynamic set that a key was removed from.
        set: Option<String>,
    },
    /// A planned key exists and means another time, or other dimensions.
    #[error(
        "partition `{key}` of `{asset}` means something else than when the run was planned: {}; \
         start a new run with `materialize`",
        Difference { before, now }
    )]
    OtherMeaning {
        /// The asset.
        asset: AssetKey,
        /// The first such key.
        key: PartitionKey,
        /// The partitions when the run was planned.
        before: String,
        /// The partitions now.
        now: String,
    },
    /// A planned key has another ordinal, and a machine that is running hands out ordinals.
    #[error(
        "partition `{key}` of `{asset}` has another number than when the run was planned: {}; let \
         `retry` run the rest, which finds the partitions by their keys",
        Difference { before, now }
    )]
    Renumbered {
        /// The asset.
        asset: AssetKey,
        /// The first such key.
        key: PartitionKey,
        /// The partitions when the run was planned.
        before: String,
        /// The partitions now.
        now: String,
    },
    /// An asset got partitions, or lost them.
    #[error(
        "`{asset}` is divided in another way than when the run was planned: {}; start a new run \
         with `materialize`",
        Difference { before, now }
    )]
    OtherDivision {
        /// The asset.
        asset: AssetKey,
        /// The partitions when the run was planned.
        before: String,
        /// The partitions now.
        now: String,
    },
    /// An asset is made from other assets or other partitions.
    #[error(
        "`{asset}` is made from something else than when the run was planned: {change}; start a \
         new run with `materialize`"
    )]
    OtherUpstream {
        /// The asset.
        asset: AssetKey,
        /// The difference.
        change: String,
    },
    /// An asset or a check belongs to another op.
    #[error(
        "`{name}` belonged to op `{op}` when the run was planned, and does not now; start a new \
         run with `materialize`"
    )]
    OtherOp {
        /// The asset or check.
        name: String,
        /// The op of the plan.
        op: String,
    },
    /// An op makes assets that the plan does not hold, together with those that it does.
    #[error(
        "op `{op}` makes {} as well since the run was planned, and cannot leave anything out; \
         start a new run with `materialize`",
        and_list(added)
    )]
    OpGrew {
        /// The op.
        op: String,
        /// The assets that were added.
        added: Vec<String>,
    },
    /// The plan was stored before plans recorded what their ordinals mean, and an asset's
    /// partitions have changed since.
    #[error(
        "the partitions of `{asset}` have changed, and the run was planned by a version that did \
         not record what they were; start a new run with `materialize`"
    )]
    UnknownBefore {
        /// The asset.
        asset: AssetKey,
    },
    /// The stages that items and waves are numbered by have changed.
    #[error(
        "the stages of the project have changed since the run was planned, so its machine hands \
         out work by names and waves that no longer exist; let `retry` run the rest"
    )]
    OtherStages,
}

/// Describes an asset's partitions.
pub(super) fn describe_partitions(definition: Option<&PartitionsDefinition>) -> String {
    definition.map_or_else(|| "no partitions".to_owned(), ToString::to_string)
}

/// The partitions before and after a change.
struct Difference<'a> {
    before: &'a str,
    now: &'a str,
}

impl fmt::Display for Difference<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { before, now } = self;
        if before == now {
            write!(f, "it has {now}")
        } else {
            write!(f, "it had {before} then, and has {now} now")
        }
    }
}

/// Names the keys that are gone, as the subject and verb of a sentence.
fn gone(asset: &AssetKey, keys: &[PartitionKey], count: u64) -> String {
    let named: Vec<&str> = keys.iter().map(PartitionKey::as_str).collect();
    let unnamed = count - named.len() as u64;
    match (named.as_slice(), unnamed) {
        ([], 1) => format!("a partition of `{asset}` is gone"),
        ([], count) => format!("{count} partitions of `{asset}` are gone"),
        ([_], 0) => format!("partition {} of `{asset}` is gone", and_list(&named)),
        (_, 0) => format!("partitions {} of `{asset}` are gone", and_list(&named)),
        (_, more) => {
            let quoted: Vec<String> = named.iter().map(|key| format!("`{key}`")).collect();
            let list = quoted.join(", ");
            format!("partitions {list} and {more} more of `{asset}` are gone")
        }
    }
}

/// Says how the keys come back.
fn add_again(set: Option<&str>, keys: &[PartitionKey], count: u64) -> String {
    let it = if count == 1 { "it" } else { "them" };
    match (set, keys) {
        (Some(set), [key]) => format!("add it again with `dynamic {set} add {key}`"),
        (Some(set), _) => format!("add them again with `dynamic {set} add`"),
        (None, _) => format!("declare {it} again"),
    }
}
