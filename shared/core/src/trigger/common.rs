//! What sensors and schedules have in common.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    graph::{AssetGraph, AssetSet},
    key::AssetKey,
    selection::{InvalidSelection, Selection},
    trigger::Misfit,
};

/// Whether a sensor or schedule runs where nobody turned it on or off. As in Dagster it is stopped
/// unless it says otherwise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DefaultStatus {
    /// It starts nothing before somebody turns it on.
    #[default]
    Stopped,
    /// It is on from the first deployment.
    Running,
}

impl DefaultStatus {
    /// Whether it is on, where somebody may have turned it on or off.
    pub fn is_on(self, turned: Option<bool>) -> bool {
        turned.unwrap_or(self == Self::Running)
    }
}

/// Why a sensor or a schedule does not fit the assets of its project.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidTrigger {
    /// The target names what there is not, or makes no sense.
    #[error("its target `{}`: {}{}", .0.text(), .0.message(), help(.0))]
    Target(Box<InvalidSelection>),
    /// The target selects no asset that is made here.
    #[error(
        "its target `{target}` selects no asset that is made here: name assets of the project, \
         like `target = \"daily_events+\"`"
    )]
    Nothing {
        /// The selection.
        target: String,
    },
    /// Without a function it has to say what it starts.
    #[error(
        "it has neither a target nor a function, so it could start nothing: add \
         `target = \"..\"`, or put the attribute on a function that answers `RunRequest`s"
    )]
    NoTarget,
    /// A watched asset is not there.
    #[error("it watches asset `{asset}`, which the project does not declare")]
    UnknownAsset {
        /// The asset.
        asset: AssetKey,
    },
    /// It watches nothing.
    #[error("it watches no asset: name at least one, like `assets = [flights, weather]`")]
    NoAssets,
    /// The key's template does not fit the partitions of the target.
    #[error(transparent)]
    Misfit(#[from] Misfit),
    /// Watched assets that are to be matched by partition are divided in different ways.
    #[error(
        "it has no function, and assets `{one}` and `{other}` are divided in different ways: put \
         the attribute on a function that says which partitions to make"
    )]
    MixedPartitions {
        /// One watched asset.
        one: AssetKey,
        /// Another.
        other: AssetKey,
    },
    /// A schedule derived from partitions, over a target without windows of time.
    #[error(
        "it follows the partitions of `{target}`, and none of its assets is divided by time: give \
         it a `cron = \"..\"`"
    )]
    NoTimePartitions {
        /// The selection.
        target: String,
    },
    /// A place in the window that the cadence has not.
    #[error("it has `{option}`, and the partitions of `{target}` are {cadence}: leave it out")]
    NoSuchOffset {
        /// The option.
        option: &'static str,
        /// The selection.
        target: String,
        /// The cadence of the partitions.
        cadence: String,
    },
    /// The event pattern is more than EventBridge takes.
    #[error(transparent)]
    Pattern(#[from] crate::trigger::InvalidEventPattern),
}

fn help(invalid: &InvalidSelection) -> String {
    invalid
        .help()
        .map_or_else(String::new, |help| format!("; {help}"))
}

/// The assets that a target selects and that are made here.
///
/// # Errors
/// [`InvalidTrigger`] when it makes no sense or selects nothing.
pub(super) fn resolve_target(
    target: &Selection,
    graph: &AssetGraph,
) -> Result<AssetSet, InvalidTrigger> {
    let selected = target
        .resolve(graph)
        .map_err(|invalid| InvalidTrigger::Target(Box::new(invalid)))?;
    let made: AssetSet = selected
        .iter()
        .filter(|asset| !graph.is_external(*asset))
        .collect();
    if made.is_empty() {
        return Err(InvalidTrigger::Nothing {
            target: target.to_string(),
        });
    }
    Ok(made)
}
