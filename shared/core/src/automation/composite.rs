//! The composite conditions: the same trees as in Dagster.

use super::{AutomationCondition, ConditionKind};

impl AutomationCondition {
    /// True of partitions that a run or a backfill in progress has yet to process.
    pub fn in_progress() -> Self {
        (Self::run_in_progress() | Self::backfill_in_progress()).with_label("in_progress")
    }

    /// True in the tick in which a partition becomes missing.
    pub fn newly_missing() -> Self {
        Self::missing().newly_true().with_label("newly_missing")
    }

    /// True since this was true after the asset was last requested, updated, or first evaluated.
    #[must_use]
    pub fn since_last_handled(self) -> Self {
        self.since(Self::handled())
    }

    /// Returns the reset of [`Self::since_last_handled`].
    pub(super) fn handled() -> Self {
        (Self::newly_requested() | Self::newly_updated() | Self::initial_evaluation())
            .with_label("handled")
    }

    /// True where an upstream partition was updated since the tick before (not by a run that also
    /// materializes this asset), or will be requested in this tick.
    pub fn any_deps_updated() -> Self {
        let updated = (Self::newly_updated() & !Self::executed_with_root_target())
            .with_label("newly_updated_without_root");
        Self::any_deps_match(updated | Self::will_be_requested()).with_label("any_deps_updated")
    }

    /// True where an upstream partition is missing and will not be requested in this tick.
    pub fn any_deps_missing() -> Self {
        Self::any_deps_match(Self::missing() & !Self::will_be_requested())
            .with_label("any_deps_missing")
    }

    /// True where an upstream partition is in progress.
    pub fn any_deps_in_progress() -> Self {
        Self::any_deps_match(Self::in_progress()).with_label("any_deps_in_progress")
    }

    /// True where all blocking checks on upstream assets passed, or will be requested in this tick.
    pub fn all_deps_blocking_checks_passed() -> Self {
        let passed = Self::all_checks_match(Self::check_passed() | Self::will_be_requested())
            .blocking_only()
            .with_label("all_blocking_checks_passed");
        Self::all_deps_match(passed).with_label("all_deps_blocking_checks_passed")
    }

    /// True where each upstream asset was updated since the latest tick of a cron schedule, or will
    /// be requested in this tick.
    pub fn all_deps_updated_since_cron(
        cron: impl Into<String>,
        timezone: impl Into<String>,
    ) -> Self {
        let (cron, timezone) = (cron.into(), timezone.into());
        let label = format!("all_deps_updated_since_cron({cron}, {timezone})");
        let updated = Self::newly_updated().since(Self::cron_tick_passed(cron, timezone));
        Self::all_deps_match(updated | Self::will_be_requested()).with_label(label)
    }

    /// Materializes an asset whenever something upstream was updated, and its partitions that
    /// become missing after the condition was added. Waits while something upstream is missing or
    /// in progress, and while the asset itself is in progress. Considers the latest time window
    /// only.
    pub fn eager() -> Self {
        (Self::in_latest_time_window()
            & (Self::newly_missing() | Self::any_deps_updated()).since_last_handled()
            & !Self::any_deps_missing()
            & !Self::any_deps_in_progress()
            & !Self::in_progress())
        .with_label("eager")
    }

    /// Materializes an asset once after each tick of a cron schedule, when everything upstream was
    /// updated since that tick. Considers the latest time window only.
    pub fn on_cron(cron: impl Into<String>, timezone: impl Into<String>) -> Self {
        let (cron, timezone) = (cron.into(), timezone.into());
        let label = format!("on_cron({cron}, {timezone})");
        (Self::in_latest_time_window()
            & Self::cron_tick_passed(cron.clone(), timezone.clone()).since_last_handled()
            & Self::all_deps_updated_since_cron(cron, timezone))
        .with_label(label)
    }

    /// Materializes the partitions that are added after the condition, when nothing upstream is
    /// missing. Considers the latest time window only.
    pub fn on_missing() -> Self {
        (Self::in_latest_time_window()
            & Self::missing()
                .newly_true()
                .since_last_handled()
                .with_label("missing_since_last_handled")
            & !Self::any_deps_missing())
        .with_label("on_missing")
    }

    /// Returns the cron schedule and the time zone of the first `cron_tick_passed` in the tree.
    pub(super) fn first_cron(&self) -> Option<(&str, &str)> {
        match &self.kind {
            ConditionKind::CronTickPassed { cron, timezone } => Some((cron, timezone)),
            _ => self.children().into_iter().find_map(Self::first_cron),
        }
    }
}
