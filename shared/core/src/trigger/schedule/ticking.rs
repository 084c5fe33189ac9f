//! [`Ticking`]: a schedule put to the assets of a project.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::CatchUp;
use crate::{
    cron::CronSchedule,
    partitions::{PartitionContext, PartitionSet, PartitionsDefinition},
};

/// How many missed ticks are made up for at a time. Whoever has more asks again from the last.
pub const MAX_DUE_TICKS: usize = 1_000;

/// A schedule put to the assets of a project: when it ticks, and which partitions a tick is about.
#[derive(Debug, Clone, PartialEq)]
pub struct Ticking {
    cron: CronSchedule,
    partitions: Option<Arc<PartitionsDefinition>>,
}

/// The ticks that are due.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Due {
    /// The ticks to evaluate, oldest first.
    pub ticks: Vec<DateTime<Utc>>,
    /// How many older ones the policy gives up.
    pub given_up: u64,
    /// Whether there are more after these: ask again from the last of them.
    pub more: bool,
}

impl Ticking {
    pub(super) fn new(cron: CronSchedule, partitions: Option<Arc<PartitionsDefinition>>) -> Self {
        Self { cron, partitions }
    }

    /// The ticks, as a cron schedule.
    pub fn cron(&self) -> &CronSchedule {
        &self.cron
    }

    /// The partitions that ticks are about; `None` where the target has none.
    pub fn definition(&self) -> Option<&PartitionsDefinition> {
        self.partitions.as_deref()
    }

    /// The ticks after a moment, without end.
    pub fn after(&self, moment: DateTime<Utc>) -> impl Iterator<Item = DateTime<Utc>> + use<> {
        let ticks = self.cron.ticks_from(moment).map(|tick| tick.at());
        ticks.filter(move |tick| *tick > moment)
    }

    /// The ticks that are due: those after one moment, up to and with another, that the policy keeps.
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
    /// let ticking = hourly.ticking(&graph)?;
    /// let handled: DateTime<Utc> = "2024-01-31T06:00:00Z".parse()?;
    /// let now: DateTime<Utc> = "2024-01-31T09:00:07Z".parse()?;
    /// assert_eq!(ticking.due(handled, now, CatchUp::All).ticks.len(), 3);
    /// assert_eq!(ticking.due(handled, now, CatchUp::Latest).given_up, 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn due(&self, after: DateTime<Utc>, until: DateTime<Utc>, policy: CatchUp) -> Due {
        let between = || self.after(after).take_while(move |tick| *tick <= until);
        match policy {
            CatchUp::All => kept(between(), 0),
            CatchUp::Latest => {
                let last = self.cron.ticks_until(until).next().map(|tick| tick.at());
                let Some(last) = last.filter(|last| *last > after) else {
                    return Due::default();
                };
                Due {
                    ticks: vec![last],
                    given_up: counted(between().take_while(|tick| *tick < last)),
                    more: false,
                }
            }
            CatchUp::Within(age) => {
                let age = chrono::TimeDelta::from_std(age).unwrap_or(chrono::TimeDelta::MAX);
                let oldest = until
                    .checked_sub_signed(age)
                    .unwrap_or(DateTime::<Utc>::MIN_UTC);
                let given_up = counted(between().take_while(|tick| *tick < oldest));
                let from = after.max(oldest);
                let ticks = self.cron.ticks_from(from).map(|tick| tick.at());
                let ticks = ticks
                    .filter(|tick| *tick > after)
                    .take_while(|tick| *tick <= until);
                kept(ticks, given_up)
            }
        }
    }

    /// The partitions that a tick is about: the last window that had closed by then, with every key
    /// of the other dimensions; every partition where nothing is divided by time. As in Dagster, once
    /// a definition has come to its end it is its last window. The dynamic keys are those of
    /// `context`.
    pub fn partitions(&self, tick: DateTime<Utc>, context: &PartitionContext) -> PartitionSet {
        let Some(definition) = self.partitions.as_deref() else {
            return PartitionSet::single(0);
        };
        let context = PartitionContext {
            now: tick,
            dynamic: context.dynamic.clone(),
        };
        match definition {
            PartitionsDefinition::TimeWindow(windows) => last(windows.count(tick)),
            PartitionsDefinition::Multi(multi) => {
                let Some((time, windows)) = multi.time_dimension() else {
                    return definition.all(&context);
                };
                let mut sides = multi.sides(&context);
                let place = multi.position(time);
                if let Some(side) = place.and_then(|place| sides.get_mut(place)) {
                    *side = last(windows.count(tick));
                }
                multi.product(&sides)
            }
            _ => definition.all(&context),
        }
    }
}

fn last(count: u64) -> PartitionSet {
    count.checked_sub(1).into_iter().collect()
}

fn kept(ticks: impl Iterator<Item = DateTime<Utc>>, given_up: u64) -> Due {
    let mut ticks: Vec<DateTime<Utc>> = ticks.take(MAX_DUE_TICKS + 1).collect();
    let more = ticks.len() > MAX_DUE_TICKS;
    ticks.truncate(MAX_DUE_TICKS);
    Due {
        ticks,
        given_up,
        more,
    }
}

/// How many there are, as far as anybody wants to know.
fn counted(ticks: impl Iterator<Item = DateTime<Utc>>) -> u64 {
    ticks.take(100_000).count() as u64
}
