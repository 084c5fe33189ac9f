//! Invalid conditions, and errors of their evaluation.

use crate::{key::AssetKey, selection::InvalidSelection};

/// An invalid condition of an asset.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidAutomation {
    /// A cron schedule or its time zone is invalid.
    #[error("the automation condition of `{asset}` has a bad schedule in `{condition}`: {reason}")]
    Cron {
        /// The asset that carries the condition.
        asset: AssetKey,
        /// The invalid part.
        condition: String,
        /// The reason.
        reason: String,
    },
    /// A selection in `allow` or `ignore` names an asset that is not declared.
    #[error(
        "the automation condition of `{asset}` cannot tell which upstream assets to ask: {error}"
    )]
    Selection {
        /// The asset that carries the condition.
        asset: AssetKey,
        /// The error, with what to write instead.
        #[source]
        error: Box<InvalidSelection>,
    },
    /// `asset_matches` names an asset that is not declared.
    #[error(
        "the automation condition of `{asset}` asks about `{other}`, which is not declared{hint}"
    )]
    UnknownAsset {
        /// The asset that carries the condition.
        asset: AssetKey,
        /// The undeclared key.
        other: AssetKey,
        /// A suggestion; may be empty.
        hint: String,
    },
    /// A condition for checks is applied to an asset, or the other way round.
    #[error("the automation condition of `{asset}` asks `{condition}` of {target}: {reason}")]
    WrongTarget {
        /// The asset that carries the condition.
        asset: AssetKey,
        /// The invalid part.
        condition: String,
        /// The target that it is applied to.
        target: String,
        /// The reason, and what to write instead.
        reason: &'static str,
    },
    /// An operator has no operands.
    #[error(
        "the automation condition of `{asset}` has an empty `{operator}`: give it at least one \
         condition"
    )]
    Empty {
        /// The asset that carries the condition.
        asset: AssetKey,
        /// `and` or `or`.
        operator: String,
    },
}

/// Partitions of two assets that could not be matched during an evaluation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "failed to evaluate the automation condition of `{asset}`: partitions of `{from}` cannot be matched with `{to}`: {reason}"
)]
pub struct EvaluationError {
    /// The asset that carries the condition.
    pub asset: AssetKey,
    /// The asset whose partitions were to be mapped.
    pub from: AssetKey,
    /// The asset that they were to be mapped to.
    pub to: AssetKey,
    /// The reason.
    pub reason: String,
}
