//! [`InvalidGraph`]: declarations that do not form a graph.

use std::fmt;

use crate::{
    key::{AssetKey, CheckKey},
    prose::suggest,
};

/// Declarations that do not form a graph, with every error in them, so that all can be fixed at
/// once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidGraph {
    /// The errors: at least one.
    errors: Vec<GraphError>,
}

impl InvalidGraph {
    /// Returns `Err` with the errors if there are any.
    pub(super) fn unless_empty(errors: Vec<GraphError>) -> Result<(), Self> {
        if errors.is_empty() {
            Ok(())
        } else {
            Err(Self { errors })
        }
    }

    /// Returns the errors: at least one.
    pub fn errors(&self) -> &[GraphError] {
        &self.errors
    }
}

impl fmt::Display for InvalidGraph {
    /// Formats a single error by itself; several with their number, one on each line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [only] = self.errors.as_slice() {
            return only.fmt(f);
        }
        write!(f, "the definitions have {} problems:", self.errors.len())?;
        self.errors
            .iter()
            .try_for_each(|problem| write!(f, "\n- {problem}"))
    }
}

impl std::error::Error for InvalidGraph {}

/// One error in declarations, with what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GraphError {
    /// Two assets have the same key.
    #[error("asset `{key}` is declared twice, {} and {}: rename one of them", declaration_text(.first), declaration_text(.second))]
    DuplicateAsset {
        /// The key.
        key: AssetKey,
        /// The op that declares the first; `None` for an external asset.
        first: Option<String>,
        /// The op that declares the second; `None` for an external asset.
        second: Option<String>,
    },
    /// Two ops have the same name.
    #[error("two ops are named `{name}`: rename one of them")]
    DuplicateOp {
        /// The name.
        name: String,
    },
    /// Two checks on an asset have the same name.
    #[error("asset `{}` has two checks named `{}`: rename one of them", key.asset, key.name)]
    DuplicateCheck {
        /// The asset and the name.
        key: CheckKey,
    },
    /// An op's name is not valid in a state name.
    #[error(
        "`{name}` cannot be the name of an op: write ASCII letters, digits, `_`, `-`, with `/` or \
         `:` between parts"
    )]
    InvalidOpName {
        /// The name.
        name: String,
    },
    /// A check's name is not valid.
    #[error("check `{name}` on asset `{asset}` is misnamed: write ASCII letters, digits and `_`")]
    InvalidCheckName {
        /// The asset.
        asset: AssetKey,
        /// The name.
        name: String,
    },
    /// An op has neither assets nor checks.
    #[error("op `{op}` makes no asset and has no check: give it one, or take it away")]
    EmptyOp {
        /// The op.
        op: String,
    },
    /// An op of unpartitioned assets has a backfill policy that counts partitions.
    #[error(
        "op `{op}` has a backfill policy that counts partitions, and its assets are unpartitioned: \
         leave the policy out, or partition the assets"
    )]
    BatchedUnpartitioned {
        /// The op.
        op: String,
    },
    /// An asset depends on one that is not declared.
    #[error("asset `{asset}` depends on `{upstream}`, which is not declared: {}", suggest_or_declare(.nearest))]
    UnknownUpstream {
        /// The asset.
        asset: AssetKey,
        /// The undeclared key.
        upstream: AssetKey,
        /// The declared keys nearest to it.
        nearest: Vec<AssetKey>,
    },
    /// A check names an asset that is not declared.
    #[error(
        "check `{}` names asset `{asset}`, which is not declared: {}", check, suggest_or_declare(.nearest)
    )]
    UnknownCheckedAsset {
        /// The check.
        check: CheckKey,
        /// The undeclared key.
        asset: AssetKey,
        /// The declared keys nearest to it.
        nearest: Vec<AssetKey>,
    },
    /// An op with assets returns a check on an asset of another op.
    #[error(
        "op `{op}` returns check `{check}` but does not make asset `{}`: make the check an op of \
         its own", check.asset
    )]
    CheckOnOtherAsset {
        /// The op.
        op: String,
        /// The check.
        check: CheckKey,
    },
    /// A check lists its own asset among its additional dependencies.
    #[error(
        "check `{check}` lists its own asset as an additional dependency: remove it, since a check \
         always depends on its asset"
    )]
    CheckReadsItsAsset {
        /// The check.
        check: CheckKey,
    },
    /// An asset names an upstream asset twice with different mappings.
    #[error("asset `{asset}` depends on `{upstream}` twice, with different mappings: keep one")]
    ConflictingDeps {
        /// The asset.
        asset: AssetKey,
        /// The upstream asset.
        upstream: AssetKey,
    },
    /// An asset has too many kinds.
    #[error("asset `{asset}` has {count} kinds: keep ten at most")]
    TooManyKinds {
        /// The asset.
        asset: AssetKey,
        /// The number of kinds.
        count: usize,
    },
    /// The assets of one op have different partitions definitions.
    #[error(
        "op `{op}` makes `{first}` and `{second}`, which have different partitions: give them the \
         same, or make them by two ops"
    )]
    MixedPartitions {
        /// The op.
        op: String,
        /// Its first asset.
        first: AssetKey,
        /// An asset with another partitions definition.
        second: AssetKey,
    },
    /// An asset depends on itself, and not only on earlier partitions.
    #[error(
        "asset `{asset}` depends on itself: an asset can depend on its earlier partitions only, by \
         a time window mapping whose start and end offset are both negative (for several \
         dimensions, on the time dimension)"
    )]
    DependsOnItself {
        /// The asset.
        asset: AssetKey,
    },
    /// Assets depend on each other in a cycle.
    #[error("assets depend on each other in a cycle: {}: remove one of these dependencies", join_with_arrows(.path))]
    Cycle {
        /// The assets of the cycle, each downstream of the next; the first is repeated at the end.
        path: Vec<AssetKey>,
    },
    /// Ops that materialize several assets at once depend on each other.
    #[error(
        "op `{op}` makes its assets at once, but they depend on each other through other ops: {}: \
         split it, or let it make some of its assets only (`can_subset`)", join_with_arrows(.path)
    )]
    OpCycle {
        /// An op in the cycle with several assets.
        op: String,
        /// The assets of the cycle, without dependencies inside one op.
        path: Vec<AssetKey>,
    },
    /// A mapping does not fit the definitions on its two sides.
    #[error("asset `{asset}` cannot depend on `{upstream}`: {reason}")]
    Mapping {
        /// The downstream asset.
        asset: AssetKey,
        /// The upstream asset.
        upstream: AssetKey,
        /// The reason, and what to write instead.
        reason: String,
    },
}

/// Formats the declaration of an asset: by an op, or external.
fn declaration_text(op: &Option<String>) -> String {
    op.as_ref().map_or_else(
        || "as an external asset".to_owned(),
        |op| format!("by op `{op}`"),
    )
}

/// Suggests the nearest keys, or to declare the asset.
fn suggest_or_declare(nearest: &[AssetKey]) -> String {
    let keys: Vec<&str> = nearest.iter().map(AssetKey::as_str).collect();
    suggest(&keys)
        .unwrap_or_else(|| "declare it, as an external asset if nothing here makes it".to_owned())
}

/// Joins keys with arrows that point downstream.
fn join_with_arrows(path: &[AssetKey]) -> String {
    path.iter()
        .map(AssetKey::as_str)
        .collect::<Vec<_>>()
        .join(" <- ")
}
