//! [`AutomationCondition`]: when an asset should be made, as a tree of data.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::wire::Wire;
use crate::{key::AssetKey, selection::Selection};

/// When an asset should be made without being asked for: a tree of facts and operators, asked of all
/// partitions of the asset at once.
///
/// The words and their meanings are those of Dagster's `AutomationCondition`. Conditions are joined
/// with `&`, `|` and `!`:
///
/// ```
/// use precip_core::automation::AutomationCondition;
///
/// let new_code = AutomationCondition::code_version_changed()
///     .since(AutomationCondition::newly_requested());
/// let condition = new_code & !AutomationCondition::any_deps_missing();
/// assert_eq!(
///     condition.to_string(),
///     "since(code_version_changed, newly_requested) & !any_deps_missing",
/// );
/// ```
///
/// It is data: it is written to JSON with Dagster's names, where the composites keep theirs.
///
/// ```
/// # use precip_core::automation::AutomationCondition;
/// let hourly = AutomationCondition::on_cron("0 * * * *", "UTC");
/// let json = serde_json::to_string(&hourly)?;
/// assert_eq!(json, r#"{"op":"on_cron","cron":"0 * * * *","timezone":"UTC"}"#);
/// assert_eq!(serde_json::from_str::<AutomationCondition>(&json)?, hourly);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(from = "Wire", into = "Wire")]
pub struct AutomationCondition {
    /// What people call this condition; shown instead of its parts.
    pub label: Option<String>,
    /// The fact or the operator at the top of the tree.
    pub kind: ConditionKind,
}

/// One node of an [`AutomationCondition`]. Built with the functions of that type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConditionKind {
    /// Never materialized; of a check: never executed against the latest materialization.
    Missing,
    /// Part of a run that has not yet come to it.
    RunInProgress,
    /// Part of a backfill that has not yet come to it.
    BackfillInProgress,
    /// The latest execution failed.
    ExecutionFailed,
    /// Will be requested in this tick, in a run that the root asset can join.
    WillBeRequested,
    /// Was requested in the tick before.
    NewlyRequested,
    /// Was materialized since the tick before.
    NewlyUpdated,
    /// Was materialized with another data version since the tick before.
    DataVersionChanged,
    /// The code version differs from that of the tick before.
    CodeVersionChanged,
    /// This is the root asset's first evaluation.
    InitialEvaluation,
    /// The run that updated it last also executed the root asset.
    ExecutedWithRootTarget,
    /// The run that updated it last carried these tags.
    ExecutedWithTags(RunTags),
    /// Some update since the tick before came from a run with these tags.
    AnyNewUpdateHasRunTags(RunTags),
    /// All updates since the tick before came from runs with these tags.
    AllNewUpdatesHaveRunTags(RunTags),
    /// A tick of a cron schedule passed since the tick before.
    CronTickPassed {
        /// The schedule: five fields.
        cron: String,
        /// The IANA time zone in which it is read.
        timezone: String,
    },
    /// In the latest time window, or in the time before its end.
    InLatestTimeWindow {
        /// How far before the end of the latest window a window may start.
        lookback: Option<TimeDelta>,
    },
    /// The check's latest execution, against the latest materialization, passed.
    CheckPassed,
    /// The check's latest execution, against the latest materialization, failed.
    CheckFailed,
    /// True of corresponding partitions of another asset.
    AssetMatches {
        /// The other asset.
        asset: AssetKey,
        /// What is asked of it.
        operand: Box<AutomationCondition>,
    },
    /// True of some partition that it is made from.
    AnyDepsMatch {
        /// What is asked of the upstream assets.
        operand: Box<AutomationCondition>,
        /// Which upstream assets are asked.
        filter: Filter,
    },
    /// For each upstream asset, true of some partition that it is made from.
    AllDepsMatch {
        /// What is asked of the upstream assets.
        operand: Box<AutomationCondition>,
        /// Which upstream assets are asked.
        filter: Filter,
    },
    /// True of some of the asset's checks.
    AnyChecksMatch {
        /// What is asked of the checks.
        operand: Box<AutomationCondition>,
        /// Whether only blocking checks are asked.
        blocking_only: bool,
    },
    /// True of all of the asset's checks.
    AllChecksMatch {
        /// What is asked of the checks.
        operand: Box<AutomationCondition>,
        /// Whether only blocking checks are asked.
        blocking_only: bool,
    },
    /// Some condition of an asset downstream is true here.
    AnyDownstreamConditions,
    /// All of these.
    And(Vec<AutomationCondition>),
    /// Some of these.
    Or(Vec<AutomationCondition>),
    /// Not this.
    Not(Box<AutomationCondition>),
    /// The trigger was true since the reset was last true.
    Since {
        /// What turns it on.
        trigger: Box<AutomationCondition>,
        /// What turns it off.
        reset: Box<AutomationCondition>,
    },
    /// True now, and not in the tick before.
    NewlyTrue(Box<AutomationCondition>),
}

/// Which upstream assets an operator over dependencies asks, as asset selections.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Filter {
    /// Only upstream assets in one of these selections; all when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<Selection>,
    /// No upstream assets in any of these selections.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<Selection>,
}

/// Tags that a run must carry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunTags {
    /// Tags that must be there, whatever they hold.
    #[serde(
        default,
        rename = "tag_keys",
        skip_serializing_if = "BTreeSet::is_empty"
    )]
    pub keys: BTreeSet<String>,
    /// Tags that must hold these values.
    #[serde(
        default,
        rename = "tag_values",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub values: BTreeMap<String, String>,
}

impl RunTags {
    /// Requires a tag, whatever it holds.
    pub fn key(key: impl Into<String>) -> Self {
        Self {
            keys: [key.into()].into(),
            ..Self::default()
        }
    }

    /// Requires a tag with a value.
    pub fn value(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            values: [(key.into(), value.into())].into(),
            ..Self::default()
        }
    }

    /// Whether a run with these tags has all that is required.
    pub fn matches(&self, tags: &BTreeMap<String, String>) -> bool {
        self.keys.iter().all(|key| tags.contains_key(key))
            && self
                .values
                .iter()
                .all(|(key, value)| tags.get(key) == Some(value))
    }
}

impl AutomationCondition {
    /// The conditions directly under this one.
    pub fn children(&self) -> Vec<&Self> {
        use ConditionKind as K;
        match &self.kind {
            K::AssetMatches { operand, .. }
            | K::AnyDepsMatch { operand, .. }
            | K::AllDepsMatch { operand, .. }
            | K::AnyChecksMatch { operand, .. }
            | K::AllChecksMatch { operand, .. }
            | K::Not(operand)
            | K::NewlyTrue(operand) => vec![operand],
            K::And(operands) | K::Or(operands) => operands.iter().collect(),
            K::Since { trigger, reset } => vec![trigger, reset],
            _ => Vec::new(),
        }
    }

    /// The same node over other children, one for each of [`Self::children`].
    pub(super) fn map_children(&self, mut f: impl FnMut(&Self) -> Self) -> Self {
        use ConditionKind as K;
        let mut map = |child: &Self| Box::new(f(child));
        let kind = match &self.kind {
            K::AssetMatches { asset, operand } => K::AssetMatches {
                asset: asset.clone(),
                operand: map(operand),
            },
            K::AnyDepsMatch { operand, filter } => K::AnyDepsMatch {
                operand: map(operand),
                filter: filter.clone(),
            },
            K::AllDepsMatch { operand, filter } => K::AllDepsMatch {
                operand: map(operand),
                filter: filter.clone(),
            },
            K::AnyChecksMatch {
                operand,
                blocking_only,
            } => K::AnyChecksMatch {
                operand: map(operand),
                blocking_only: *blocking_only,
            },
            K::AllChecksMatch {
                operand,
                blocking_only,
            } => K::AllChecksMatch {
                operand: map(operand),
                blocking_only: *blocking_only,
            },
            K::Not(operand) => K::Not(map(operand)),
            K::NewlyTrue(operand) => K::NewlyTrue(map(operand)),
            K::And(operands) => K::And(operands.iter().map(|child| *map(child)).collect()),
            K::Or(operands) => K::Or(operands.iter().map(|child| *map(child)).collect()),
            K::Since { trigger, reset } => K::Since {
                trigger: map(trigger),
                reset: map(reset),
            },
            leaf => leaf.clone(),
        };
        Self {
            label: self.label.clone(),
            kind,
        }
    }
}
