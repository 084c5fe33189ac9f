//! What is refused.

use crate::{key::AssetKey, selection::InvalidSelection};

/// Why the conditions of a graph cannot be evaluated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAutomation {
    /// A cron schedule or its time zone cannot be read.
    #[error("the automation condition of `{asset}` has a bad schedule in `{condition}`: {reason}")]
    Cron {
        /// The asset that carries the condition.
        asset: AssetKey,
        /// The part that is wrong.
        condition: String,
        /// Why.
        reason: String,
    },
    /// A selection in `allow` or `ignore` names an asset that is not declared.
    #[error(
        "the automation condition of `{asset}` cannot tell which upstream assets to ask: {error}"
    )]
    Selection {
        /// The asset that carries the condition.
        asset: AssetKey,
        /// What is wrong, and what to write instead.
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
        /// What it names.
        other: AssetKey,
        /// What it may have meant.
        hint: String,
    },
    /// Something is asked of an asset that only a check can answer, or the other way round.
    #[error("the automation condition of `{asset}` asks `{condition}` of {target}: {reason}")]
    WrongTarget {
        /// The asset that carries the condition.
        asset: AssetKey,
        /// The part that is wrong.
        condition: String,
        /// What it is asked of.
        target: String,
        /// Why not, and what to write instead.
        reason: &'static str,
    },
    /// An operator joins too few conditions.
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

/// Partitions of two assets that cannot be matched while conditions are evaluated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "failed to evaluate the automation condition of `{asset}`: partitions of `{from}` cannot be matched with `{to}`: {reason}"
)]
pub struct EvaluationError {
    /// The asset that carries the condition.
    pub asset: AssetKey,
    /// Whose partitions were to be mapped.
    pub from: AssetKey,
    /// To whose.
    pub to: AssetKey,
    /// Why not.
    pub reason: String,
}
