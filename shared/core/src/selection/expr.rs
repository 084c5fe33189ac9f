//! Selections taken apart.

/// An expression. What it selects is said at each variant; "made here" leaves external assets out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expr {
    /// All that is made here.
    All,
    /// By a pattern of the key.
    Key(String),
    /// By a pattern of the group, of what is made here; nothing for `<null>`.
    Group(Option<String>),
    /// By a tag with just this value, of what is made here.
    Tag {
        /// The tag's key.
        key: String,
        /// The tag's value; empty for a tag that is only a key.
        value: String,
    },
    /// By owner; nothing for `<null>`.
    Owner(Option<String>),
    /// By kind, of what is made here; `<null>` for those without a kind.
    Kind(Option<String>),
    /// By who makes it.
    Is(Maker),
    /// By the sort of partitions; nothing for a word that is none of the sorts.
    Partitions(Option<String>),
    /// With what is upstream (of that, what is made here), with what is downstream, or both.
    Traverse {
        /// Where it starts.
        of: Box<Expr>,
        /// How far up.
        up: Option<Depth>,
        /// How far down.
        down: Option<Depth>,
    },
    /// Those with none of the others upstream.
    Roots(Box<Expr>),
    /// Those with none of the others downstream.
    Sinks(Box<Expr>),
    /// All that is made here but these.
    Not(Box<Expr>),
    /// What all of these select. At least two.
    And(Vec<Expr>),
    /// What any of these selects. At least two.
    Or(Vec<Expr>),
}

/// Who makes an asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Maker {
    /// Something outside the project.
    External,
    /// An op.
    Materializable,
}

/// How far to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// As far as it goes.
    All,
    /// This many edges.
    Edges(u32),
}

impl Depth {
    /// As the graph takes it: `None` is as far as it goes.
    pub(super) fn limit(self) -> Option<u32> {
        match self {
            Self::All => None,
            Self::Edges(edges) => Some(edges),
        }
    }
}
