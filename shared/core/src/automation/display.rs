//! Formatting conditions as text.

use std::fmt;

use chrono::TimeDelta;

use crate::selection::Selection;

use super::{AutomationCondition, ConditionKind as K, Filter, RunTags};

impl AutomationCondition {
    /// Returns the name of the top node with its settings, without its operands.
    pub fn name(&self) -> String {
        match &self.kind {
            K::Missing => "missing".to_owned(),
            K::RunInProgress => "run_in_progress".to_owned(),
            K::BackfillInProgress => "backfill_in_progress".to_owned(),
            K::ExecutionFailed => "execution_failed".to_owned(),
            K::WillBeRequested => "will_be_requested".to_owned(),
            K::NewlyRequested => "newly_requested".to_owned(),
            K::NewlyUpdated => "newly_updated".to_owned(),
            K::DataVersionChanged => "data_version_changed".to_owned(),
            K::CodeVersionChanged => "code_version_changed".to_owned(),
            K::InitialEvaluation => "initial_evaluation".to_owned(),
            K::ExecutedWithRootTarget => "executed_with_root_target".to_owned(),
            K::ExecutedWithTags(tags) => format!("executed_with_tags{}", TagList(tags)),
            K::AnyNewUpdateHasRunTags(tags) => {
                format!("any_new_update_has_run_tags{}", TagList(tags))
            }
            K::AllNewUpdatesHaveRunTags(tags) => {
                format!("all_new_updates_have_run_tags{}", TagList(tags))
            }
            K::CronTickPassed { cron, timezone } => format!("cron_tick_passed({cron}, {timezone})"),
            K::InLatestTimeWindow { lookback: None } => "in_latest_time_window".to_owned(),
            K::InLatestTimeWindow {
                lookback: Some(lookback),
            } => {
                format!("in_latest_time_window(lookback={})", format_span(*lookback))
            }
            K::CheckPassed => "check_passed".to_owned(),
            K::CheckFailed => "check_failed".to_owned(),
            K::AssetMatches { asset, .. } => format!("asset_matches({asset})"),
            K::AnyDepsMatch { filter, .. } => format!("any_deps_match{}", FilterList(filter)),
            K::AllDepsMatch { filter, .. } => format!("all_deps_match{}", FilterList(filter)),
            K::AnyChecksMatch { blocking_only, .. } => {
                format!(
                    "any_checks_match{}",
                    if *blocking_only {
                        "(blocking_only)"
                    } else {
                        ""
                    }
                )
            }
            K::AllChecksMatch { blocking_only, .. } => {
                format!(
                    "all_checks_match{}",
                    if *blocking_only {
                        "(blocking_only)"
                    } else {
                        ""
                    }
                )
            }
            K::AnyDownstreamConditions => "any_downstream_conditions".to_owned(),
            K::And(_) => "and".to_owned(),
            K::Or(_) => "or".to_owned(),
            K::Not(_) => "not".to_owned(),
            K::Since { .. } => "since".to_owned(),
            K::NewlyTrue(_) => "newly_true".to_owned(),
        }
    }
}

/// Formats the condition as an expression. Labelled parts are shown by their label, the condition
/// itself by its parts.
impl fmt::Display for AutomationCondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Operands of `&`, `|` and `!` need parentheses if they are lists themselves; arguments in
        // parentheses do not.
        let joined = |f: &mut fmt::Formatter<'_>, operands: &[Self], sign: &str| {
            for (index, operand) in operands.iter().enumerate() {
                if index > 0 {
                    write!(f, " {sign} ")?;
                }
                write!(
                    f,
                    "{}",
                    Part {
                        condition: operand,
                        bare: false
                    }
                )?;
            }
            Ok(())
        };
        let bare = |condition| Part {
            condition,
            bare: true,
        };
        match &self.kind {
            K::And(operands) => joined(f, operands, "&"),
            K::Or(operands) => joined(f, operands, "|"),
            K::Not(operand) => write!(
                f,
                "!{}",
                Part {
                    condition: operand,
                    bare: false
                }
            ),
            K::Since { trigger, reset } => {
                write!(f, "since({}, {})", bare(trigger), bare(reset))
            }
            _ => {
                f.write_str(&self.name())?;
                match self.children().as_slice() {
                    [] => Ok(()),
                    [child, ..] => write!(f, "({})", bare(child)),
                }
            }
        }
    }
}

/// A condition inside another.
struct Part<'a> {
    condition: &'a AutomationCondition,
    /// `true` if it needs no parentheses.
    bare: bool,
}

impl fmt::Display for Part<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let several = matches!(self.condition.kind, K::And(_) | K::Or(_));
        match &self.condition.label {
            Some(label) => f.write_str(label),
            None if several && !self.bare => write!(f, "({})", self.condition),
            None => write!(f, "{}", self.condition),
        }
    }
}

/// A filter in brackets; nothing for an empty one.
struct FilterList<'a>(&'a Filter);

impl fmt::Display for FilterList<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut settings = Vec::new();
        if !self.0.allow.is_empty() {
            settings.push(format!("allow={}", join_selections(&self.0.allow)));
        }
        if !self.0.ignore.is_empty() {
            settings.push(format!("ignore={}", join_selections(&self.0.ignore)));
        }
        if settings.is_empty() {
            Ok(())
        } else {
            write!(f, "[{}]", settings.join(", "))
        }
    }
}

/// Joins selections with `or`.
fn join_selections(selections: &[Selection]) -> String {
    let texts: Vec<String> = selections.iter().map(Selection::to_string).collect();
    texts.join(" or ")
}

/// Tags in parentheses.
struct TagList<'a>(&'a RunTags);

impl fmt::Display for TagList<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values = self
            .0
            .values
            .iter()
            .map(|(key, value)| format!("{key}={value}"));
        let tags: Vec<String> = self.0.keys.iter().cloned().chain(values).collect();
        write!(f, "({})", tags.join(", "))
    }
}

/// Formats a span in its largest whole unit.
fn format_span(span: TimeDelta) -> String {
    let seconds = span.num_seconds();
    [(86_400, "d"), (3_600, "h"), (60, "m")]
        .iter()
        .find(|(unit, _)| seconds % unit == 0)
        .map_or_else(
            || format!("{seconds}s"),
            |(unit, sign)| format!("{}{sign}", seconds / unit),
        )
}
