//! [`ResolvedSchedule`]: a schedule, resolved against the assets of a project.

use std::{ops::Range, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};

use super::{CatchUp, ScheduleSpec, ScheduleTiming, spec::time_windows_of};
use crate::{
    cron::CronSchedule,
    partitions::{PartitionContext, PartitionSet, PartitionsDefinition, TimeWindowPartitions},
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
    /// `true` if the ticks follow the windows, and so handle each of them once.
    follows_windows: bool,
    has_function: bool,
}

/// The ticks that are due.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DueTicks {
    /// The ticks to evaluate, oldest first.
    pub ticks: Vec<DateTime<Utc>>,
    /// The number of older ticks, of those with something to do, that the policy drops.
    pub given_up: u64,
    /// `true` if more ticks are due after the last of these.
    pub more: bool,
}

impl ResolvedSchedule {
    pub(super) fn new(
        cron: CronSchedule,
        partitions: Option<Arc<PartitionsDefinition>>,
        spec: &ScheduleSpec,
    ) -> Self {
        Self {
            cron,
            partitions,
            follows_windows: matches!(spec.timing, ScheduleTiming::Partitions { .. }),
            has_function: spec.has_function,
        }
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
                let newest = self.cron.ticks_until(until).map(|tick| tick.at());
                let mut newest = newest.take_while(|tick| *tick > after).peekable();
                let Some(last) = newest.peek().copied() else {
                    return DueTicks::default();
                };
                // Later ticks without a window of their own do not make up for a missed window.
                let latest = newest
                    .take(MAX_COUNTED)
                    .find(|tick| self.has_work(*tick))
                    .unwrap_or(last);
                let older = between().take_while(|tick| *tick < latest);
                DueTicks {
                    ticks: if latest == last {
                        vec![last]
                    } else {
                        vec![latest, last]
                    },
                    given_up: self.count_with_work(older),
                    more: false,
                }
            }
            CatchUp::Within(age) => {
                // Ages beyond the range of dates keep everything.
                let age = TimeDelta::from_std(age).unwrap_or(TimeDelta::MAX);
                let oldest = until
                    .checked_sub_signed(age)
                    .unwrap_or(DateTime::<Utc>::MIN_UTC);
                let given_up = self.count_with_work(between().take_while(|tick| *tick < oldest));
                let from = after.max(oldest);
                let ticks = self.cron.ticks_from(from).map(|tick| tick.at());
                let ticks = ticks
                    .filter(|tick| *tick > after)
                    .take_while(|tick| *tick <= until);
                collect_due(ticks, given_up)
            }
        }
    }

    /// Returns `true` if a tick has nothing to do, although the target has time windows: none came
    /// to exist since the tick before. A function with ticks of its own decides by itself.
    pub fn is_idle_at(&self, tick: DateTime<Utc>) -> bool {
        (self.follows_windows || !self.has_function)
            && self
                .windows()
                .is_some_and(|windows| self.windows_of_tick(windows, tick).is_empty())
    }

    fn has_work(&self, tick: DateTime<Utc>) -> bool {
        !self.is_idle_at(tick)
    }

    /// Counts ticks with something to do, among the first 100,000.
    fn count_with_work(&self, ticks: impl Iterator<Item = DateTime<Utc>>) -> u64 {
        ticks
            .take(MAX_COUNTED)
            .filter(|tick| self.has_work(*tick))
            .count() as u64
    }

    /// Returns the partitions of a tick: the time windows of its own, with every key of the other
    /// dimensions; without time windows, every partition. The windows of a tick are those that came
    /// to exist since the tick before, so that each belongs to one tick. For a schedule with a cron
    /// expression of its own, windows that have not ended belong to each tick until they have.
    /// Existing windows are those at the time of the tick; dynamic keys are those of `context`.
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
            PartitionsDefinition::TimeWindow(windows) => {
                PartitionSet::from(self.windows_of_tick(windows, tick))
            }
            PartitionsDefinition::Multi(multi) => {
                let Some((time, windows)) = multi.time_dimension() else {
                    return definition.all(&tick_context);
                };
                let mut sides = multi.dimension_sets(&tick_context);
                let time_index = multi.position(time);
                if let Some(side) = time_index.and_then(|index| sides.get_mut(index)) {
                    *side = PartitionSet::from(self.windows_of_tick(windows, tick));
                }
                multi.product(&sides)
            }
            _ => definition.all(&tick_context),
        }
    }

    /// Explains why a tick has no partitions.
    pub fn explain_empty_tick(&self, tick: DateTime<Utc>) -> String {
        let Some(windows) = self.windows() else {
            return "the target has no partitions yet".to_owned();
        };
        if !self.windows_of_tick(windows, tick).is_empty() {
            return "the target's other dimensions have no keys yet".to_owned();
        }
        let Some(last) = windows.last_window(tick) else {
            return format!(
                "no window of the target has closed yet: the first will be `{}`",
                windows.example_key()
            );
        };
        let key = windows.key_at(last.start);
        let is_final = windows
            .end()
            .and_then(|end| windows.windows_until(end).next())
            .is_some_and(|of_all| of_all.start <= last.start);
        if is_final {
            return format!("the target's windows have ended: `{key}` was the last");
        }
        let since = self.tick_before(tick).map_or_else(String::new, |before| {
            format!(" since the tick of {}", before.format("%FT%TZ"))
        });
        format!("no new window{since}: `{key}` is still the last")
    }

    /// Returns the time windows of the target.
    fn windows(&self) -> Option<&TimeWindowPartitions> {
        self.partitions.as_deref().and_then(time_windows_of)
    }

    fn tick_before(&self, tick: DateTime<Utc>) -> Option<DateTime<Utc>> {
        // Ticks are whole seconds.
        let mut earlier = self.cron.ticks_until(tick - TimeDelta::seconds(1));
        earlier.next().map(|tick| tick.at())
    }

    /// Returns the ordinals of the windows that belong to a tick.
    fn windows_of_tick(&self, windows: &TimeWindowPartitions, tick: DateTime<Utc>) -> Range<u64> {
        let count = windows.count(tick);
        let handled = self.tick_before(tick).map_or(0, |before| {
            let known = windows.count(before);
            // A window handled while it was open is not whole: only ended ones are done with.
            if self.follows_windows {
                known
            } else {
                known.min(windows.count_ended(before))
            }
        });
        handled.min(count)..count
    }
}

/// The largest number of ticks that are looked at to find or count those with something to do.
const MAX_COUNTED: usize = 100_000;

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
