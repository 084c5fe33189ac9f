//! Types that sensors and schedules share.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    graph::{AssetGraph, AssetSet},
    key::AssetKey,
    selection::{InvalidSelection, Selection},
    trigger::TemplateFitError,
};

/// The status of a sensor or schedule that no one has turned on or off. As in Dagster, the default
/// is stopped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DefaultStatus {
    /// It starts nothing until it is turned on.
    #[default]
    Stopped,
    /// It is on from the first deployment.
    Running,
}

impl DefaultStatus {
    /// Returns `true` if the trigger is on: as it was `turned` if it was, otherwise by default.
    pub fn is_on(self, turned: Option<bool>) -> bool {
        turned.unwrap_or(self == Self::Running)
    }
}

/// A sensor or schedule that does not fit the assets of its project.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidTrigger {
    /// The target is not a valid selection of the project's assets.
    #[error("its target `{}`: {}{}", .0.text(), .0.message(), suggestion_of(.0))]
    Target(Box<InvalidSelection>),
    /// The target selects no asset that the project materializes.
    #[error(
        "its target `{target}` selects no asset that is made here: name assets of the project, \
         like `target = \"daily_events+\"`"
    )]
    Nothing {
        /// The selection.
        target: String,
    },
    /// A trigger without a function has no target.
    #[error(
        "it has neither a target nor a function, so it could start nothing: add \
         `target = \"..\"`, or put the attribute on a function that answers `RunRequest`s"
    )]
    NoTarget,
    /// A watched asset is not declared.
    #[error("it watches asset `{asset}`, which the project does not declare")]
    UnknownAsset {
        /// The asset.
        asset: AssetKey,
    },
    /// The sensor watches no asset.
    #[error("it watches no asset: name at least one, like `assets = [flights, weather]`")]
    NoAssets,
    /// The key template does not fit the partitions of the target.
    #[error(transparent)]
    TemplateFitError(#[from] TemplateFitError),
    /// Watched assets that are matched by partition have different partitions definitions.
    #[error(
        "it has no function, and assets `{one}` and `{other}` have different partitions: put the \
         attribute on a function that chooses the partitions"
    )]
    MixedPartitions {
        /// One watched asset.
        one: AssetKey,
        /// Another watched asset.
        other: AssetKey,
    },
    /// A schedule follows the partitions of a target that has no time windows.
    #[error(
        "it follows the partitions of `{target}`, and none of its assets has time windows: give it \
         a `cron = \"..\"`"
    )]
    NoTimePartitions {
        /// The selection.
        target: String,
    },
    /// An offset that the cadence of the partitions does not have.
    #[error(
        "it has `{option}`, and the partitions of `{target}` are {cadence}: write `cron = \"{cron}\"` \
         instead of `from_partitions`, whose ticks materialize every window that closed since the tick \
         before, or leave `{option}` out"
    )]
    NoSuchOffset {
        /// The option.
        option: &'static str,
        /// The selection.
        target: String,
        /// The cadence of the partitions.
        cadence: String,
        /// A cron string that ticks at the time of the options.
        cron: String,
    },
    /// A day of the week and a day of the month, which cannot both decide when windows of a cron
    /// schedule are handled.
    #[error(
        "it has `weekday` and `day`, and cron ticks on either: keep one of them, or write \
         `cron = \"{cron}\"`"
    )]
    TwoDays {
        /// A cron string that ticks on either day.
        cron: String,
    },
    /// The event pattern exceeds the limit of EventBridge.
    #[error(transparent)]
    Pattern(#[from] crate::trigger::InvalidEventPattern),
}

/// Formats the suggestion of an invalid selection.
fn suggestion_of(invalid: &InvalidSelection) -> String {
    invalid
        .help()
        .map_or_else(String::new, |help| format!("; {help}"))
}

/// Returns the assets that a target selects, without external ones.
///
/// # Errors
/// [`InvalidTrigger`] when the selection is invalid or selects nothing.
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
