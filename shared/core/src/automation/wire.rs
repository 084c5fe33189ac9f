//! The JSON form of conditions: `{"op": NAME, ..}`, with Dagster's names.

use chrono::TimeDelta;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AutomationCondition, ConditionKind as K, Filter, RunTags};
use crate::key::AssetKey;

/// The JSON form of a condition: a node or a composite, with its label unless a composite implies
/// it.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub(super) struct Wire {
    #[serde(flatten)]
    op: Op,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    label: Option<String>,
}

fn default_timezone() -> String {
    "UTC".to_owned()
}

fn is_false(value: &bool) -> bool {
    !value
}

/// A node or a composite by name.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "op", rename_all = "snake_case")]
enum Op {
    Missing,
    RunInProgress,
    BackfillInProgress,
    ExecutionFailed,
    WillBeRequested,
    NewlyRequested,
    NewlyUpdated,
    DataVersionChanged,
    CodeVersionChanged,
    InitialEvaluation,
    ExecutedWithRootTarget,
    ExecutedWithTags(RunTags),
    AnyNewUpdateHasRunTags(RunTags),
    AllNewUpdatesHaveRunTags(RunTags),
    CronTickPassed {
        cron: String,
        #[serde(default = "default_timezone")]
        timezone: String,
    },
    InLatestTimeWindow {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lookback_seconds: Option<i64>,
    },
    CheckPassed,
    CheckFailed,
    AssetMatches {
        asset: AssetKey,
        arg: Box<AutomationCondition>,
    },
    AnyDepsMatch {
        arg: Box<AutomationCondition>,
        #[serde(flatten)]
        filter: Filter,
    },
    AllDepsMatch {
        arg: Box<AutomationCondition>,
        #[serde(flatten)]
        filter: Filter,
    },
    AnyChecksMatch {
        arg: Box<AutomationCondition>,
        #[serde(default, skip_serializing_if = "is_false")]
        blocking_only: bool,
    },
    AllChecksMatch {
        arg: Box<AutomationCondition>,
        #[serde(default, skip_serializing_if = "is_false")]
        blocking_only: bool,
    },
    AnyDownstreamConditions,
    And {
        args: Vec<AutomationCondition>,
    },
    Or {
        args: Vec<AutomationCondition>,
    },
    Not {
        arg: Box<AutomationCondition>,
    },
    Since {
        trigger: Box<AutomationCondition>,
        reset: Box<AutomationCondition>,
    },
    NewlyTrue {
        arg: Box<AutomationCondition>,
    },
    InProgress,
    NewlyMissing,
    SinceLastHandled {
        arg: Box<AutomationCondition>,
    },
    AnyDepsUpdated,
    AnyDepsMissing,
    AnyDepsInProgress,
    AllDepsBlockingChecksPassed,
    AllDepsUpdatedSinceCron {
        cron: String,
        #[serde(default = "default_timezone")]
        timezone: String,
    },
    Eager,
    OnMissing,
    OnCron {
        cron: String,
        #[serde(default = "default_timezone")]
        timezone: String,
    },
}

impl From<Wire> for AutomationCondition {
    fn from(wire: Wire) -> Self {
        let condition = build_condition(wire.op);
        match wire.label {
            Some(label) => condition.with_label(label),
            None => condition,
        }
    }
}

/// Builds the condition of a node or a composite.
fn build_condition(op: Op) -> AutomationCondition {
    use AutomationCondition as C;
    let kind = match op {
        Op::Missing => K::Missing,
        Op::RunInProgress => K::RunInProgress,
        Op::BackfillInProgress => K::BackfillInProgress,
        Op::ExecutionFailed => K::ExecutionFailed,
        Op::WillBeRequested => K::WillBeRequested,
        Op::NewlyRequested => K::NewlyRequested,
        Op::NewlyUpdated => K::NewlyUpdated,
        Op::DataVersionChanged => K::DataVersionChanged,
        Op::CodeVersionChanged => K::CodeVersionChanged,
        Op::InitialEvaluation => K::InitialEvaluation,
        Op::ExecutedWithRootTarget => K::ExecutedWithRootTarget,
        Op::ExecutedWithTags(tags) => K::ExecutedWithTags(tags),
        Op::AnyNewUpdateHasRunTags(tags) => K::AnyNewUpdateHasRunTags(tags),
        Op::AllNewUpdatesHaveRunTags(tags) => K::AllNewUpdatesHaveRunTags(tags),
        Op::CronTickPassed { cron, timezone } => K::CronTickPassed { cron, timezone },
        Op::InLatestTimeWindow { lookback_seconds } => K::InLatestTimeWindow {
            lookback: lookback_seconds.and_then(TimeDelta::try_seconds),
        },
        Op::CheckPassed => K::CheckPassed,
        Op::CheckFailed => K::CheckFailed,
        Op::AssetMatches { asset, arg } => K::AssetMatches {
            asset,
            operand: arg,
        },
        Op::AnyDepsMatch { arg, filter } => K::AnyDepsMatch {
            operand: arg,
            filter,
        },
        Op::AllDepsMatch { arg, filter } => K::AllDepsMatch {
            operand: arg,
            filter,
        },
        Op::AnyChecksMatch { arg, blocking_only } => K::AnyChecksMatch {
            operand: arg,
            blocking_only,
        },
        Op::AllChecksMatch { arg, blocking_only } => K::AllChecksMatch {
            operand: arg,
            blocking_only,
        },
        Op::AnyDownstreamConditions => K::AnyDownstreamConditions,
        Op::And { args } => K::And(args),
        Op::Or { args } => K::Or(args),
        Op::Not { arg } => K::Not(arg),
        Op::Since { trigger, reset } => K::Since { trigger, reset },
        Op::NewlyTrue { arg } => K::NewlyTrue(arg),
        Op::InProgress => return C::in_progress(),
        Op::NewlyMissing => return C::newly_missing(),
        Op::SinceLastHandled { arg } => return arg.since_last_handled(),
        Op::AnyDepsUpdated => return C::any_deps_updated(),
        Op::AnyDepsMissing => return C::any_deps_missing(),
        Op::AnyDepsInProgress => return C::any_deps_in_progress(),
        Op::AllDepsBlockingChecksPassed => return C::all_deps_blocking_checks_passed(),
        Op::AllDepsUpdatedSinceCron { cron, timezone } => {
            return C::all_deps_updated_since_cron(cron, timezone);
        }
        Op::Eager => return C::eager(),
        Op::OnMissing => return C::on_missing(),
        Op::OnCron { cron, timezone } => return C::on_cron(cron, timezone),
    };
    kind.into()
}

impl From<AutomationCondition> for Wire {
    fn from(condition: AutomationCondition) -> Self {
        match as_composite(&condition) {
            Some(op) => Self { op, label: None },
            // The label of a composite is implied by its name, any other is written out.
            None => Self {
                op: json_op(condition.kind),
                label: condition.label,
            },
        }
    }
}

/// Returns the composite that a condition is equal to, if any.
fn as_composite(condition: &AutomationCondition) -> Option<Op> {
    let label = condition.label.as_deref()?;
    let cron = || {
        let (cron, timezone) = condition.first_cron()?;
        Some((cron.to_owned(), timezone.to_owned()))
    };
    // The label suggests the composite; building it again and comparing makes sure.
    let op = match label.split('(').next()? {
        "in_progress" => Op::InProgress,
        "newly_missing" => Op::NewlyMissing,
        "any_deps_updated" => Op::AnyDepsUpdated,
        "any_deps_missing" => Op::AnyDepsMissing,
        "any_deps_in_progress" => Op::AnyDepsInProgress,
        "all_deps_blocking_checks_passed" => Op::AllDepsBlockingChecksPassed,
        "eager" => Op::Eager,
        "on_missing" => Op::OnMissing,
        "all_deps_updated_since_cron" => {
            let (cron, timezone) = cron()?;
            Op::AllDepsUpdatedSinceCron { cron, timezone }
        }
        "on_cron" => {
            let (cron, timezone) = cron()?;
            Op::OnCron { cron, timezone }
        }
        _ => return None,
    };
    (build_condition(op.clone()) == *condition).then_some(op)
}

/// Returns the JSON form of a node.
fn json_op(kind: K) -> Op {
    match kind {
        K::Missing => Op::Missing,
        K::RunInProgress => Op::RunInProgress,
        K::BackfillInProgress => Op::BackfillInProgress,
        K::ExecutionFailed => Op::ExecutionFailed,
        K::WillBeRequested => Op::WillBeRequested,
        K::NewlyRequested => Op::NewlyRequested,
        K::NewlyUpdated => Op::NewlyUpdated,
        K::DataVersionChanged => Op::DataVersionChanged,
        K::CodeVersionChanged => Op::CodeVersionChanged,
        K::InitialEvaluation => Op::InitialEvaluation,
        K::ExecutedWithRootTarget => Op::ExecutedWithRootTarget,
        K::ExecutedWithTags(tags) => Op::ExecutedWithTags(tags),
        K::AnyNewUpdateHasRunTags(tags) => Op::AnyNewUpdateHasRunTags(tags),
        K::AllNewUpdatesHaveRunTags(tags) => Op::AllNewUpdatesHaveRunTags(tags),
        K::CronTickPassed { cron, timezone } => Op::CronTickPassed { cron, timezone },
        K::InLatestTimeWindow { lookback } => Op::InLatestTimeWindow {
            lookback_seconds: lookback.map(|lookback| lookback.num_seconds()),
        },
        K::CheckPassed => Op::CheckPassed,
        K::CheckFailed => Op::CheckFailed,
        K::AssetMatches { asset, operand } => Op::AssetMatches {
            asset,
            arg: operand,
        },
        K::AnyDepsMatch { operand, filter } => Op::AnyDepsMatch {
            arg: operand,
            filter,
        },
        K::AllDepsMatch { operand, filter } => Op::AllDepsMatch {
            arg: operand,
            filter,
        },
        K::AnyChecksMatch {
            operand,
            blocking_only,
        } => Op::AnyChecksMatch {
            arg: operand,
            blocking_only,
        },
        K::AllChecksMatch {
            operand,
            blocking_only,
        } => Op::AllChecksMatch {
            arg: operand,
            blocking_only,
        },
        K::AnyDownstreamConditions => Op::AnyDownstreamConditions,
        K::And(args) => Op::And { args },
        K::Or(args) => Op::Or { args },
        K::Not(arg) => Op::Not { arg },
        K::Since { trigger, reset } if *reset == AutomationCondition::handled() => {
            Op::SinceLastHandled { arg: trigger }
        }
        K::Since { trigger, reset } => Op::Since { trigger, reset },
        K::NewlyTrue(arg) => Op::NewlyTrue { arg },
    }
}
