//! How conditions are written: the facts, the operators, and the changes to a condition.

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

    /// True of partitions that are part of a run which has not yet come to them.
    pub fn run_in_progress() -> Self {
        K::RunInProgress.into()
    }

    /// True of partitions that are part of a backfill which has not yet come to them.
    pub fn backfill_in_progress() -> Self {
        K::BackfillInProgress.into()
    }

    /// True of partitions whose latest execution failed.
    pub fn execution_failed() -> Self {
        K::ExecutionFailed.into()
    }

    /// True of partitions that will be requested in this very tick, where the root asset can be made
    /// in the same run: both have the same partitions, and each partition is made from its own.
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

    /// True of all partitions in the first evaluation of the asset that carries the condition, and in
    /// the first after its partitions definition became another one.
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

    /// True of partitions of which some update since the tick before came from a run with these tags.
    pub fn any_new_update_has_run_tags(tags: RunTags) -> Self {
        K::AnyNewUpdateHasRunTags(tags).into()
    }

    /// True of partitions that were updated since the tick before, only by runs with these tags.
    pub fn all_new_updates_have_run_tags(tags: RunTags) -> Self {
        K::AllNewUpdatesHaveRunTags(tags).into()
    }

    /// True of all partitions in the tick after the schedule's time came. `cron` has five fields and
    /// is read in `timezone`, an IANA name; both are checked when the conditions are compiled.
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
    /// hours are the latest two days.
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

    /// True where a condition of an asset downstream is true of this asset.
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

    /// True where `condition` is true of some partition that it is made from.
    pub fn any_deps_match(condition: Self) -> Self {
        K::AnyDepsMatch {
            operand: Box::new(condition),
            filter: Filter::default(),
        }
        .into()
    }

    /// True where, for each upstream asset, `condition` is true of some partition that it is made
    /// from.
    pub fn all_deps_match(condition: Self) -> Self {
        K::AllDepsMatch {
            operand: Box::new(condition),
            filter: Filter::default(),
        }
        .into()
    }

    /// True where `condition` is true of some check on the asset.
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

    /// Asks blocking checks only. It changes nothing but an operator over checks.
    #[must_use]
    pub fn blocking_only(mut self) -> Self {
        if let K::AnyChecksMatch { blocking_only, .. } | K::AllChecksMatch { blocking_only, .. } =
            &mut self.kind
        {
            *blocking_only = true;
        }
        self
    }

    /// True from the time this is true until `reset` is. How a tick in which both become true is
    /// resolved is said in the [module's documentation](super#order-within-a-tick).
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

    /// Names the condition: the name is shown instead of the parts, and [`Self::replace_named`]
    /// finds it.
    #[must_use]
    pub fn with_label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }
}

impl BitAnd for AutomationCondition {
    type Output = Self;

    /// Both. Unlabelled neighbours are joined into one list.
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

    /// Either. Unlabelled neighbours are joined into one list.
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
    /// The condition with every occurrence of `old` exchanged for `new`.
    #[must_use]
    pub fn replace(&self, old: &Self, new: &Self) -> Self {
        self.replace_where(&|condition| condition == old, new)
    }

    /// The condition with every part of this label, or with this name, exchanged for `new`.
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

    fn replace_where(&self, matches: &impl Fn(&Self) -> bool, new: &Self) -> Self {
        if matches(self) {
            new.clone()
        } else {
            self.map_children(|child| child.replace_where(matches, new))
        }
    }

    /// An "all of" without one of its parts.
    ///
    /// # Errors
    /// [`CannotTakeOut`] when this is not an "all of" that holds `part` directly, or when fewer than
    /// two parts would be left.
    pub fn without(&self, part: &Self) -> Result<Self, CannotTakeOut> {
        let refuse = || CannotTakeOut {
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

    /// Lets operators over dependencies ask only upstream assets in `selection` (beside those
    /// already allowed), here and in the parts joined with `&`, `|`, `!` and `since`.
    #[must_use]
    pub fn allow(&self, selection: Selection) -> Self {
        self.filter_deps(&|filter| filter.allow.push(selection.clone()))
    }

    /// Lets operators over dependencies ask no upstream assets in `selection`, here and in the parts
    /// joined with `&`, `|`, `!` and `since`.
    #[must_use]
    pub fn ignore(&self, selection: Selection) -> Self {
        self.filter_deps(&|filter| filter.ignore.push(selection.clone()))
    }

    /// As Dagster: the filter does not reach into what is asked of the upstream assets, nor under
    /// `newly_true`.
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

/// A part that cannot be taken out of a condition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{part}` cannot be taken out of `{condition}`: it must be one of three or more parts joined \
     with `&` there"
)]
pub struct CannotTakeOut {
    /// What was to be taken out.
    pub part: String,
    /// Of what.
    pub condition: String,
}
