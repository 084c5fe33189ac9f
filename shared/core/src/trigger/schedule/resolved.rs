//! [`ResolvedSchedule`]: a schedule, resolved against the assets of a project.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::CatchUp;
use crate::{
    cron::CronSchedule,
    partitions::{PartitionContext, PartitionSet, PartitionsDefinition},
};

/// The largest number of missed ticks that one call returns. Call again from the last tick for
/// more.
pub const MAX_DUE_TICKS: usize = 1_000;

/// A schedule, resolved against the assets of a project: its ticks, and the partitions of each
/// tick.
#[derive(Debug, Clone, PartialEq)]
pub struct ResolvedSchedule {
    cron: CronSchedule,
    partitions: Option<Arc<PartitionsDefinition>>,
}

/// The ticks that are due.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DueTicks {
    /// The ticks to evaluate, oldest first.
    pub ticks: Vec<DateTime<Utc>>,
    /// The number of older ticks that the policy drops.
    pub given_up: u64,
    /// `true` if more ticks are due after the last of these.
    pub more: bool,
}

impl ResolvedSchedule {
    pub(super) fn new(cron: CronSchedule, partitions: Option<Arc<PartitionsDefinition>>) -> Self {
        Self { cron, partitions }
    }

    /// Returns the cron schedule of the ticks.
    pub fn cron(&self) -> &CronSchedule {
        &self.cron
    }

    /// Returns the partitions definition of the target; `None` for an unpartitioned one.
    pub fn definition(&self) -> Option<&PartitionsDefinition> {
        self.partitions.as_deref()
    }

    /// Iterates over the ticks after a moment, without end.
    pub fn ticks_after(
        &self,
        moment: DateTime<Utc>,
    ) -> impl Iterator<Item = DateTime<Utc>> + use<> {
        let ticks = self.cron.ticks_from(moment).map(|tick| tick.at());
        ticks.filter(move |tick| *tick > moment)
    }

    /// Returns the ticks that are due: those after one moment, up to and including another, that
    /// the policy keeps.
    ///
    /// ```
    /// # use chrono::{DateTime, Utc};
    /// # use precip_core::{graph::AssetGraph, spec::{AssetSpec, OpSpec}, trigger::*};
    /// # let graph = AssetGraph::new(vec![OpSpec::single(AssetSpec::new("report".parse()?))], vec![])?;
    /// # let hourly = ScheduleSpec {
    /// #     name: "hourly".parse()?,
    /// #     timing: ScheduleTiming::Cron { cron: "@hourly".parse()?, timezone: chrono_tz::UTC },
    /// #     target: Some("report".parse()?),
    /// #     catch_up: CatchUp::All,
    /// #     default_status: DefaultStatus::Running,
    /// #     description: None,
    /// #     has_function: false,
    /// # };
    /// let schedule = hourly.resolve(&graph)?;
    /// let handled: DateTime<Utc> = "2024-01-31T06:00:00Z".parse()?;
    /// let now: DateTime<Utc> = "2024-01-31T09:00:07Z".parse()?;
    /// assert_eq!(schedule.due_ticks(handled, now, CatchUp::All).ticks.len(), 3);
    /// assert_eq!(schedule.due_ticks(handled, now, CatchUp::Latest).given_up, 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn due_ticks(
        &self,
        after: DateTime<Utc>,
        until: DateTime<Utc>,
        policy: CatchUp,
    ) -> DueTicks {
        let between = || {
            self.ticks_after(after)
                .take_while(move |tick| *tick <= until)
        };
        match policy {
            CatchUp::All => collect_due(between(), 0),
            CatchUp::Latest => {
                // Looked up from the end, without a walk over all ticks since `after`.
                let last = self.cron.ticks_until(until).next().map(|tick| tick.at());
                let Some(last) = last.filter(|last| *last > after) else {
                    return DueTicks::default();
                };
                DueTicks {
                    ticks: vec![last],
                    given_up: count_ticks(between().take_while(|tick| *tick < last)),
                    more: false,
                }
            }
            CatchUp::Within(age) => {
                // Ages beyond the range of dates keep everything.
                let age = chrono::TimeDelta::from_std(age).unwrap_or(chrono::TimeDelta::MAX);
                let oldest = until
                    .checked_sub_signed(age)
                    .unwrap_or(DateTime::<Utc>::MIN_UTC);
                let given_up = count_ticks(between().take_while(|tick| *tick < oldest));
                let from = after.max(oldest);
                let ticks = self.cron.ticks_from(from).map(|tick| tick.at());
                let ticks = ticks
                    .filter(|tick| *tick > after)
                    .take_while(|tick| *tick <= until);
                collect_due(ticks, given_up)
            }
        }
    }

    /// Returns the partitions of a tick: the last time window that had closed by then, with every
    /// key of the other dimensions; without time windows, every partition. As in Dagster, ticks
    /// after the end of a definition have its last window. The dynamic keys are those of `context`.
    pub fn partitions_of_tick(
        &self,
        tick: DateTime<Utc>,
        context: &PartitionContext,
    ) -> PartitionSet {
        let Some(definition) = self.partitions.as_deref() else {
            return PartitionSet::single(0);
        };
        // Existing partitions are those at the time of the tick, which may be long ago.
        let tick_context = PartitionContext {
            now: tick,
            dynamic: context.dynamic.clone(),
        };
        match definition {
            PartitionsDefinition::TimeWindow(windows) => last_ordinal(windows.count(tick)),
            PartitionsDefinition::Multi(multi) => {
                let Some((time, windows)) = multi.time_dimension() else {
                    return definition.all(&tick_context);
                };
                let mut sides = multi.dimension_sets(&tick_context);
                let time_index = multi.position(time);
                if let Some(side) = time_index.and_then(|index| sides.get_mut(index)) {
                    *side = last_ordinal(windows.count(tick));
                }
                multi.product(&sides)
            }
            _ => definition.all(&tick_context),
        }
    }
}

/// Returns the last of `count` ordinals; the empty set for none.
fn last_ordinal(count: u64) -> PartitionSet {
    count.checked_sub(1).into_iter().collect()
}

/// Collects ticks up to the limit of one call.
fn collect_due(ticks: impl Iterator<Item = DateTime<Utc>>, given_up: u64) -> DueTicks {
    // One more than the limit shows whether there are more.
    let mut ticks: Vec<DateTime<Utc>> = ticks.take(MAX_DUE_TICKS + 1).collect();
    let more = ticks.len() > MAX_DUE_TICKS;
    ticks.truncate(MAX_DUE_TICKS);
    DueTicks {
        ticks,
        given_up,
        more,
    }
}

/// Counts ticks, up to 100,000.
fn count_ticks(ticks: impl Iterator<Item = DateTime<Utc>>) -> u64 {
    ticks.take(100_000).count() as u64
}
