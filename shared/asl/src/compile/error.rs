//! [`CompileError`].

use crate::model::InvalidStateName;

/// The reason why no machine can be generated for a graph.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// The layout does not belong to the graph.
    #[error(
        "the layout names the op `{op}`, which the graph does not have: make the layout from this graph"
    )]
    UnknownOp {
        /// The name of the op.
        op: String,
    },
    /// The graph has no op.
    #[error("the project declares no asset of its own: a state machine needs at least one")]
    Empty,
    /// A generated name is not valid for a state.
    #[error(transparent)]
    Name(#[from] InvalidStateName),
}
