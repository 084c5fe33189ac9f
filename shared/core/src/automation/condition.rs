//! [`AutomationCondition`]: a tree of facts and operators that decides when an asset is
//! materialized.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::wire::Wire;
use crate::{key::AssetKey, selection::Selection};

/// A condition for materializing an asset automatically: a tree of facts and operators, evaluated
/// for all partitions of the asset at once.
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
/// A condition is data. Its JSON form has Dagster's names, also for the composites.
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
    /// The label, which is shown instead of the parts.
    pub label: Option<String>,
    /// The fact or the operator at the top of the tree.
    pub kind: ConditionKind,
}

/// One node of an [`AutomationCondition`], built with the functions of that type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConditionKind {
    /// Never materialized; of a check: never executed against the latest materialization.
    Missing,
    /// A run in progress has yet to process it.
    RunInProgress,
    /// A backfill in progress has yet to process it.
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
        /// The cron schedule, in five fields.
        cron: String,
        /// The IANA time zone of the schedule.
        timezone: String,
    },
    /// In the latest time window, or within a time before its end.
    InLatestTimeWindow {
        /// The time before the end of the latest window in which a window may start.
        lookback: Option<TimeDelta>,
    },
    /// The check's latest execution, against the latest materialization, passed.
    CheckPassed,
    /// The check's latest execution, against the latest materialization, failed.
    CheckFailed,
    /// The operand is true of corresponding partitions of another asset.
    AssetMatches {
        /// The other asset.
        asset: AssetKey,
        /// The condition on the other asset.
        operand: Box<AutomationCondition>,
    },
    /// The operand is true of any upstream partition.
    AnyDepsMatch {
        /// The condition on the upstream assets.
        operand: Box<AutomationCondition>,
        /// The upstream assets that count.
        filter: Filter,
    },
    /// For each upstream asset, the operand is true of any upstream partition.
    AllDepsMatch {
        /// The condition on the upstream assets.
        operand: Box<AutomationCondition>,
        /// The upstream assets that count.
        filter: Filter,
    },
    /// The operand is true of any of the asset's checks.
    AnyChecksMatch {
        /// The condition on the checks.
        operand: Box<AutomationCondition>,
        /// `true` if only blocking checks count.
        blocking_only: bool,
    },
    /// The operand is true of all of the asset's checks.
    AllChecksMatch {
        /// The condition on the checks.
        operand: Box<AutomationCondition>,
        /// `true` if only blocking checks count.
        blocking_only: bool,
    },
    /// A condition of a downstream asset is true here.
    AnyDownstreamConditions,
    /// All of these are true.
    And(Vec<AutomationCondition>),
    /// Any of these is true.
    Or(Vec<AutomationCondition>),
    /// This is not true.
    Not(Box<AutomationCondition>),
    /// The trigger was true since the reset was last true.
    Since {
        /// The condition that turns it on.
        trigger: Box<AutomationCondition>,
        /// The condition that turns it off.
        reset: Box<AutomationCondition>,
    },
    /// True now, and not in the tick before.
    NewlyTrue(Box<AutomationCondition>),
}

/// A filter for the upstream assets of an operator over dependencies.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Filter {
    /// The selections that admit upstream assets; empty for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<Selection>,
    /// The selections that exclude upstream assets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<Selection>,
}

/// Tags that a run must carry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunTags {
    /// The keys of tags that must exist, with any value.
    #[serde(
        default,
        rename = "tag_keys",
        skip_serializing_if = "BTreeSet::is_empty"
    )]
    pub keys: BTreeSet<String>,
    /// The tags that must have these values.
    #[serde(
        default,
        rename = "tag_values",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub values: BTreeMap<String, String>,
}

impl RunTags {
    /// Requires a tag with any value.
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

    /// Returns `true` if the tags of a run satisfy all requirements.
    pub fn matches(&self, tags: &BTreeMap<String, String>) -> bool {
        self.keys.iter().all(|key| tags.contains_key(key))
            && self
                .values
                .iter()
                .all(|(key, value)| tags.get(key) == Some(value))
    }
}

impl AutomationCondition {
    /// Returns the operands of the condition.
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

    /// Returns the condition with each of its [operands](Self::children) replaced.
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
