//! Declarations that do not make a graph.

use std::fmt;

use crate::{
    key::{AssetKey, CheckKey},
    nearest::or_list,
};

/// Why declarations do not make a graph: every problem there is, so that all can be mended at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidGraph {
    /// At least one.
    problems: Vec<GraphProblem>,
}

impl InvalidGraph {
    /// `Err` with the problems if there are any.
    pub(super) fn unless_empty(problems: Vec<GraphProblem>) -> Result<(), Self> {
        if problems.is_empty() {
            Ok(())
        } else {
            Err(Self { problems })
        }
    }

    /// Everything that is wrong: at least one problem.
    pub fn problems(&self) -> &[GraphProblem] {
        &self.problems
    }
}

impl fmt::Display for InvalidGraph {
    /// The problem if there is one; otherwise how many there are, and each on its own line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [only] = self.problems.as_slice() {
            return only.fmt(f);
        }
        write!(f, "the definitions have {} problems:", self.problems.len())?;
        self.problems
            .iter()
            .try_for_each(|problem| write!(f, "\n- {problem}"))
    }
}

impl std::error::Error for InvalidGraph {}

/// One thing that is wrong with declarations, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GraphProblem {
    /// Two assets have one key.
    #[error("asset `{key}` is declared twice, {} and {}: rename one of them", place(.first), place(.second))]
    DuplicateAsset {
        /// The key.
        key: AssetKey,
        /// The op that makes the one; `None` for an external asset.
        first: Option<String>,
        /// The op that makes the other.
        second: Option<String>,
    },
    /// Two ops have one name.
    #[error("two ops are named `{name}`: rename one of them")]
    DuplicateOp {
        /// The name.
        name: String,
    },
    /// Two checks on an asset have one name.
    #[error("asset `{}` has two checks named `{}`: rename one of them", key.asset, key.name)]
    DuplicateCheck {
        /// The asset and the name.
        key: CheckKey,
    },
    /// An op's name cannot stand in a state name.
    #[error(
        "`{name}` cannot be the name of an op: write ASCII letters, digits, `_`, `-`, with `/` or \
         `:` between parts"
    )]
    InvalidOpName {
        /// The name.
        name: String,
    },
    /// A check's name is not one.
    #[error("check `{name}` on asset `{asset}` is misnamed: write ASCII letters, digits and `_`")]
    InvalidCheckName {
        /// The asset.
        asset: AssetKey,
        /// The name.
        name: String,
    },
    /// An op makes nothing and checks nothing.
    #[error("op `{op}` makes no asset and has no check: give it one, or take it away")]
    EmptyOp {
        /// The op.
        op: String,
    },
    /// An op of unpartitioned assets has a backfill policy that counts partitions.
    #[error(
        "op `{op}` makes unpartitioned assets, of which a run cannot take several partitions: leave \
         out its backfill policy, or partition the assets"
    )]
    BatchedUnpartitioned {
        /// The op.
        op: String,
    },
    /// An asset is made from one that is not declared.
    #[error("asset `{asset}` depends on `{upstream}`, which is not declared: {}", or_declare(.nearest))]
    UnknownUpstream {
        /// The asset.
        asset: AssetKey,
        /// What it names.
        upstream: AssetKey,
        /// The declared keys most like it.
        nearest: Vec<AssetKey>,
    },
    /// A check looks at, or reads, an asset that is not declared.
    #[error(
        "check `{}` names asset `{asset}`, which is not declared: {}", check, or_declare(.nearest)
    )]
    UnknownCheckedAsset {
        /// The check.
        check: CheckKey,
        /// What it names.
        asset: AssetKey,
        /// The declared keys most like it.
        nearest: Vec<AssetKey>,
    },
    /// An op that makes assets returns a check on an asset it does not make.
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
    /// A check lists the asset it looks at among the others that it reads.
    #[error(
        "check `{check}` lists its own asset as an additional dependency: take it out, a check \
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
    /// An asset has more kinds than can be shown.
    #[error("asset `{asset}` has {count} kinds: keep ten at most")]
    TooManyKinds {
        /// The asset.
        asset: AssetKey,
        /// How many it has.
        count: usize,
    },
    /// The assets of one op are divided differently.
    #[error(
        "op `{op}` makes `{first}` and `{second}`, which have different partitions: give them the \
         same, or make them by two ops"
    )]
    MixedPartitions {
        /// The op.
        op: String,
        /// Its first asset.
        first: AssetKey,
        /// An asset that is divided differently.
        second: AssetKey,
    },
    /// An asset depends on itself, and not on earlier partitions only.
    #[error(
        "asset `{asset}` depends on itself: an asset can depend on its earlier partitions only, by \
         a time window mapping whose start and end offset are both negative (for several \
         dimensions, on the time dimension)"
    )]
    DependsOnItself {
        /// The asset.
        asset: AssetKey,
    },
    /// Assets depend on each other in a circle.
    #[error("assets depend on each other in a circle: {}: take one of these dependencies away", arrows(.path))]
    Cycle {
        /// The circle, each made from the next; the first key comes again at the end.
        path: Vec<AssetKey>,
    },
    /// Ops that make several assets at once wait for each other.
    #[error(
        "op `{op}` makes its assets at once, but they depend on each other through other ops: {}: \
         split it, or let it make some of its assets only (`can_subset`)", arrows(.path)
    )]
    OpCycle {
        /// An op in the circle that makes several assets.
        op: String,
        /// The assets around the circle; steps inside one op are left out.
        path: Vec<AssetKey>,
    },
    /// A mapping does not fit the definitions on its two sides.
    #[error("asset `{asset}` cannot be made from `{upstream}`: {reason}")]
    Mapping {
        /// The downstream asset.
        asset: AssetKey,
        /// The upstream asset.
        upstream: AssetKey,
        /// Why not, and what to write instead.
        reason: String,
    },
}

fn place(op: &Option<String>) -> String {
    op.as_ref().map_or_else(
        || "as an external asset".to_owned(),
        |op| format!("by op `{op}`"),
    )
}

fn or_declare(nearest: &[AssetKey]) -> String {
    let keys: Vec<&str> = nearest.iter().map(AssetKey::as_str).collect();
    if keys.is_empty() {
        "declare it, as an external asset if nothing here makes it".to_owned()
    } else {
        format!("did you mean {}?", or_list(&keys))
    }
}

fn arrows(path: &[AssetKey]) -> String {
    path.iter()
        .map(AssetKey::as_str)
        .collect::<Vec<_>>()
        .join(" <- ")
}
