//! Building conditions: facts, operators, and changes to a condition.

use std::ops::{BitAnd, BitOr, Not};

use chrono::TimeDelta;

use super::{AutomationCondition, ConditionKind as K, Filter, RunTags};
use crate::{key::AssetKey, selection::Selection};

impl From<K> for AutomationCondition {
    fn from(kind: K) -> Self {
        Self { label: None, kind }
    }
}

/// Facts.
impl AutomationCondition {
    /// True of partitions that were never materialized.
    pub fn missing() -> Self {
        K::Missing.into()
    }

    /// True of partitions that a run in progress has yet to process.
    pub fn run_in_progress() -> Self {
        K::RunInProgress.into()
    }

    /// True of partitions that a backfill in progress has yet to process.
    pub fn backfill_in_progress() -> Self {
        K::BackfillInProgress.into()
    }

    /// True of partitions whose latest execution failed.
    pub fn execution_failed() -> Self {
        K::ExecutionFailed.into()
    }

    /// True of partitions that will be requested in this tick, where the root asset can be
    /// materialized in the same run: both have the same partitions, and each partition depends on
    /// the one with the same key.
    pub fn will_be_requested() -> Self {
        K::WillBeRequested.into()
    }

    /// True of partitions that were requested in the tick before.
    pub fn newly_requested() -> Self {
        K::NewlyRequested.into()
    }

    /// True of partitions that were materialized since the tick before.
    pub fn newly_updated() -> Self {
        K::NewlyUpdated.into()
    }

    /// True of partitions that were materialized with another data version since the tick before.
    pub fn data_version_changed() -> Self {
        K::DataVersionChanged.into()
    }

    /// True of all partitions in the tick in which the code version changes.
    pub fn code_version_changed() -> Self {
        K::CodeVersionChanged.into()
    }

    /// True of all partitions in the first evaluation of the asset that carries the condition, and
    /// in the first after its partitions definition has changed.
    pub fn initial_evaluation() -> Self {
        K::InitialEvaluation.into()
    }

    /// True of partitions whose latest update came from a run that also executed the asset that
    /// carries the condition.
    pub fn executed_with_root_target() -> Self {
        K::ExecutedWithRootTarget.into()
    }

    /// True of partitions whose latest update came from a run with these tags.
    pub fn executed_with_tags(tags: RunTags) -> Self {
        K::ExecutedWithTags(tags).into()
    }

    /// True of partitions with an update since the tick before that came from a run with these
    /// tags.
    pub fn any_new_update_has_run_tags(tags: RunTags) -> Self {
        K::AnyNewUpdateHasRunTags(tags).into()
    }

    /// True of partitions that were updated since the tick before, only by runs with these tags.
    pub fn all_new_updates_have_run_tags(tags: RunTags) -> Self {
        K::AllNewUpdatesHaveRunTags(tags).into()
    }

    /// True of all partitions in the first tick after a time of the schedule.
    /// `cron` has five fields and is interpreted in `timezone`, an IANA name; both are checked when
    /// the conditions are compiled.
    pub fn cron_tick_passed(cron: impl Into<String>, timezone: impl Into<String>) -> Self {
        K::CronTickPassed {
            cron: cron.into(),
            timezone: timezone.into(),
        }
        .into()
    }

    /// True of the latest partition in time; of all partitions where there is no time dimension.
    pub fn in_latest_time_window() -> Self {
        K::InLatestTimeWindow { lookback: None }.into()
    }

    /// True of the partitions that start within `lookback` before the end of the latest window: 48
    /// hours cover the latest two days.
    pub fn in_latest_time_windows(lookback: TimeDelta) -> Self {
        K::InLatestTimeWindow {
            lookback: Some(lookback),
        }
        .into()
    }

    /// True of a check that passed on the latest materialization.
    pub fn check_passed() -> Self {
        K::CheckPassed.into()
    }

    /// True of a check that failed on the latest materialization.
    pub fn check_failed() -> Self {
        K::CheckFailed.into()
    }

    /// True where a condition of a downstream asset is true of this asset.
    pub fn any_downstream_conditions() -> Self {
        K::AnyDownstreamConditions.into()
    }
}

/// Operators.
impl AutomationCondition {
    /// True where `condition` is true of the corresponding partitions of `asset`.
    pub fn asset_matches(asset: AssetKey, condition: Self) -> Self {
        K::AssetMatches {
            asset,
            operand: Box::new(condition),
        }
        .into()
    }

    /// True where `condition` is true of any upstream partition.
    pub fn any_deps_match(condition: Self) -> Self {
        K::AnyDepsMatch {
            operand: Box::new(condition),
            filter: Filter::default(),
        }
        .into()
    }

    /// True where, for each upstream asset, `condition` is true of any upstream partition.
    pub fn all_deps_match(condition: Self) -> Self {
        K::AllDepsMatch {
            operand: Box::new(condition),
            filter: Filter::default(),
        }
        .into()
    }

    /// True where `condition` is true of any check on the asset.
    pub fn any_checks_match(condition: Self) -> Self {
        K::AnyChecksMatch {
            operand: Box::new(condition),
            blocking_only: false,
        }
        .into()
    }

    /// True where `condition` is true of all checks on the asset.
    pub fn all_checks_match(condition: Self) -> Self {
        K::AllChecksMatch {
            operand: Box::new(condition),
            blocking_only: false,
        }
        .into()
    }

    /// Restricts an operator over checks to blocking checks. Other conditions stay as they are.
    #[must_use]
    pub fn blocking_only(mut self) -> Self {
        if let K::AnyChecksMatch { blocking_only, .. } | K::AllChecksMatch { blocking_only, .. } =
            &mut self.kind
        {
            *blocking_only = true;
        }
        self
    }

    /// True from the moment this becomes true until `reset` does. The [module's
    /// documentation](super#order-within-a-tick) describes ticks in which both become true.
    #[must_use]
    pub fn since(self, reset: Self) -> Self {
        K::Since {
            trigger: Box::new(self),
            reset: Box::new(reset),
        }
        .into()
    }

    /// True in the tick in which this becomes true.
    #[must_use]
    pub fn newly_true(self) -> Self {
        K::NewlyTrue(Box::new(self)).into()
    }

    /// Names the condition: the label is shown instead of the parts, and [`Self::replace_named`]
    /// finds it.
    #[must_use]
    pub fn with_label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }
}

impl BitAnd for AutomationCondition {
    type Output = Self;

    /// Combines two conditions: both have to be true. Unlabelled neighbours are joined into one
    /// list.
    fn bitand(self, other: Self) -> Self {
        let operands = |condition: Self| match condition {
            Self {
                label: None,
                kind: K::And(operands),
            } => operands,
            other => vec![other],
        };
        K::And([operands(self), operands(other)].concat()).into()
    }
}

impl BitOr for AutomationCondition {
    type Output = Self;

    /// Combines two conditions: either has to be true. Unlabelled neighbours are joined into one
    /// list.
    fn bitor(self, other: Self) -> Self {
        let operands = |condition: Self| match condition {
            Self {
                label: None,
                kind: K::Or(operands),
            } => operands,
            other => vec![other],
        };
        K::Or([operands(self), operands(other)].concat()).into()
    }
}

impl Not for AutomationCondition {
    type Output = Self;

    fn not(self) -> Self {
        K::Not(Box::new(self)).into()
    }
}

/// Changes.
impl AutomationCondition {
    /// Returns the condition with every occurrence of `old` replaced by `new`.
    #[must_use]
    pub fn replace(&self, old: &Self, new: &Self) -> Self {
        self.replace_where(&|condition| condition == old, new)
    }

    /// Returns the condition with every part that has this label or name replaced by `new`.
    ///
    /// ```
    /// # use precip_core::automation::AutomationCondition as Condition;
    /// let anytime = Condition::eager()
    ///     .replace_named("in_latest_time_window", &Condition::in_latest_time_windows(
    ///         chrono::TimeDelta::days(7),
    ///     ));
    /// assert!(anytime.to_string().starts_with("in_latest_time_window(lookback=7d) & "));
    /// ```
    #[must_use]
    pub fn replace_named(&self, name: &str, new: &Self) -> Self {
        let named =
            |condition: &Self| condition.label.as_deref() == Some(name) || condition.name() == name;
        self.replace_where(&named, new)
    }

    /// Replaces the outermost matching parts.
    fn replace_where(&self, matches: &impl Fn(&Self) -> bool, new: &Self) -> Self {
        // A replacement is not searched again.
        if matches(self) {
            new.clone()
        } else {
            self.map_children(|child| child.replace_where(matches, new))
        }
    }

    /// Returns a list joined with `&` without one of its parts.
    ///
    /// # Errors
    /// [`InvalidRemoval`] when `part` is not directly in such a list, or when fewer than two parts
    /// would be left.
    pub fn without(&self, part: &Self) -> Result<Self, InvalidRemoval> {
        let refuse = || InvalidRemoval {
            part: part.to_string(),
            condition: self.to_string(),
        };
        let K::And(operands) = &self.kind else {
            return Err(refuse());
        };
        let rest: Vec<Self> = operands
            .iter()
            .filter(|operand| *operand != part)
            .cloned()
            .collect();
        if rest.len() == operands.len() || rest.len() < 2 {
            return Err(refuse());
        }
        Ok(Self {
            label: self.label.clone(),
            kind: K::And(rest),
        })
    }

    /// Restricts operators over dependencies to upstream assets in `selection` and in those allowed
    /// before, here and in the parts joined with `&`, `|`, `!` and `since`.
    #[must_use]
    pub fn allow(&self, selection: Selection) -> Self {
        self.filter_deps(&|filter| filter.allow.push(selection.clone()))
    }

    /// Excludes upstream assets in
    /// `selection` from operators over dependencies, here and in the parts joined with `&`,
    /// `|`, `!` and `since`.
    #[must_use]
    pub fn ignore(&self, selection: Selection) -> Self {
        self.filter_deps(&|filter| filter.ignore.push(selection.clone()))
    }

    /// Changes the filters of operators over dependencies. As in Dagster, the change reaches
    /// neither the operands of these operators nor the operand of `newly_true`.
    fn filter_deps(&self, change: &impl Fn(&mut Filter)) -> Self {
        match &self.kind {
            K::AnyDepsMatch { .. } | K::AllDepsMatch { .. } => {
                let mut changed = self.clone();
                if let K::AnyDepsMatch { filter, .. } | K::AllDepsMatch { filter, .. } =
                    &mut changed.kind
                {
                    change(filter);
                }
                changed
            }
            K::And(_) | K::Or(_) | K::Not(_) | K::Since { .. } => {
                self.map_children(|child| child.filter_deps(change))
            }
            _ => self.clone(),
        }
    }
}

/// A part that cannot be removed from a condition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{part}` cannot be removed from `{condition}`: it must be one of three or more parts joined \
     with `&` there"
)]
pub struct InvalidRemoval {
    /// The part.
    pub part: String,
    /// The condition.
    pub condition: String,
}
