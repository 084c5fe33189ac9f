//! The syntax tree of selections.

/// An expression. Each variant says what it selects; *materializable* assets are those made in the
/// project, as opposed to external ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expr {
    /// All materializable assets.
    All,
    /// The assets whose key matches a pattern.
    Key(String),
    /// The materializable assets whose group matches a pattern; none for `<null>`.
    Group(Option<String>),
    /// The materializable assets with a tag of exactly this value.
    Tag {
        /// The tag's key.
        key: String,
        /// The tag's value; empty for a tag that is only a key.
        value: String,
    },
    /// The assets of an owner; none for `<null>`.
    Owner(Option<String>),
    /// The materializable assets of a kind; those without a kind for `<null>`.
    Kind(Option<String>),
    /// The external or the materializable assets.
    Is(Origin),
    /// The assets with a kind of partitions; none for an unknown kind.
    Partitions(Option<String>),
    /// The assets with their ancestors (only materializable ones), their descendants, or both.
    Traverse {
        /// The starting assets.
        start: Box<Expr>,
        /// The depth upstream.
        up: Option<Depth>,
        /// The depth downstream.
        down: Option<Depth>,
    },
    /// The assets that have none of the others upstream.
    Roots(Box<Expr>),
    /// The assets that have none of the others downstream.
    Sinks(Box<Expr>),
    /// All materializable assets except these.
    Not(Box<Expr>),
    /// The assets that all of these expressions (at least two) select.
    And(Vec<Expr>),
    /// The assets that any of these expressions (at least two) selects.
    Or(Vec<Expr>),
}

/// The origin of an asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// Made outside the project.
    External,
    /// Made by an op.
    Materializable,
}

/// The depth of a traversal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// Unlimited.
    All,
    /// A number of edges.
    Edges(u32),
}

impl Depth {
    /// Returns the limit in edges; `None` is unlimited.
    pub(super) fn limit(self) -> Option<u32> {
        match self {
            Self::All => None,
            Self::Edges(edges) => Some(edges),
        }
    }
}
