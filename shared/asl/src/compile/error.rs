//! [`CompileError`].

use crate::model::InvalidStateName;

/// A graph that no machine can be generated for.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// The layout does not belong to the graph.
    #[error(
        "the layout names the op `{op}`, which the graph does not have: lay the graph out again"
    )]
    UnknownOp {
        /// The op.
        op: String,
    },
    /// There is nothing to run.
    #[error("the project declares no asset that it makes itself: a state machine needs one")]
    Empty,
    /// A name that was made for a state is none.
    #[error(transparent)]
    Name(#[from] InvalidStateName),
}
