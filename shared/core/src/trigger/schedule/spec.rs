//! [`ScheduleSpec`]: when a schedule ticks, and what it starts.

use std::time::Duration;

use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Ticking;
use crate::{
    cron::{CronExpression, CronSchedule},
    graph::{AssetGraph, AssetId, AssetSet},
    partitions::{Cadence, PartitionsDefinition, TimeWindowPartitions},
    selection::Selection,
    spec::TriggerName,
    trigger::{DefaultStatus, InvalidTrigger, common::resolve_target},
};

/// A schedule: when it ticks, and what it starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScheduleSpec {
    /// The name, unique among schedules.
    pub name: TriggerName,
    /// When it ticks.
    pub timing: ScheduleTiming,
    /// What it makes. A schedule with a function may leave it to the function's run requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Selection>,
    /// Which of the ticks that were missed are made up for.
    #[serde(default)]
    pub catch_up: CatchUp,
    /// Whether it is on where nobody turned it on or off.
    #[serde(default)]
    pub default_status: DefaultStatus,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether a function decides; otherwise the partitions that have just closed are made.
    #[serde(default)]
    pub has_function: bool,
}

/// When a schedule ticks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ScheduleTiming {
    /// At the ticks of a cron schedule.
    Cron {
        /// The expression.
        cron: CronExpression,
        /// The time zone, by its IANA name.
        #[schemars(with = "String")]
        timezone: Tz,
    },
    /// Once for each window of the target's partitions, after it has closed. As Dagster's
    /// `build_schedule_from_partitioned_job`.
    Partitions {
        /// At this minute of the hour; as the windows begin unless given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        minute: Option<u32>,
        /// At this hour of the day.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hour: Option<u32>,
        /// On this day of the week, 0 for Sunday.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        weekday: Option<u32>,
        /// On this day of the month.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        day: Option<u32>,
        /// By the clocks of this time zone; by those of the partitions unless given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(with = "Option<String>")]
        timezone: Option<Tz>,
    },
}

/// Which of the ticks that were missed, while nothing could be evaluated, are made up for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CatchUp {
    /// Every one, each with its own partitions.
    #[default]
    All,
    /// The last one.
    Latest,
    /// Those that are not older than this.
    Within(Duration),
}

impl ScheduleSpec {
    /// The schedule put to the assets of its project.
    ///
    /// # Errors
    /// [`InvalidTrigger`], which says what to write instead.
    pub fn ticking(&self, graph: &AssetGraph) -> Result<Ticking, InvalidTrigger> {
        let Some(target) = &self.target else {
            return match &self.timing {
                _ if !self.has_function => Err(InvalidTrigger::NoTarget),
                ScheduleTiming::Partitions { .. } => Err(InvalidTrigger::NoTarget),
                ScheduleTiming::Cron { cron, timezone } => Ok(Ticking::new(
                    CronSchedule::of(cron.clone(), *timezone),
                    None,
                )),
            };
        };
        let assets = resolve_target(target, graph)?;
        let partitioned = first_partitioned(graph, &assets);
        let partitions = partitioned.and_then(|asset| graph.asset(asset).partitions.clone());
        let cron = match &self.timing {
            ScheduleTiming::Cron { cron, timezone } => CronSchedule::of(cron.clone(), *timezone),
            ScheduleTiming::Partitions {
                minute,
                hour,
                weekday,
                day,
                timezone,
            } => {
                let windows = partitions.as_deref().and_then(windows).ok_or_else(|| {
                    InvalidTrigger::NoTimePartitions {
                        target: target.to_string(),
                    }
                })?;
                let offsets = [*minute, *hour, *weekday, *day];
                let cron = derived(windows, offsets, target)?;
                CronSchedule::of(cron, timezone.unwrap_or_else(|| windows.timezone()))
            }
        };
        Ok(Ticking::new(cron, partitions))
    }
}

/// The first asset, in the order of the graph, that is divided by time; otherwise the first that is
/// partitioned.
fn first_partitioned(graph: &AssetGraph, assets: &AssetSet) -> Option<AssetId> {
    let partitioned = || {
        let selected = graph.topological().iter().copied();
        selected.filter(|asset| assets.contains(*asset) && graph.partitions(*asset).is_some())
    };
    let by_time = |asset: &AssetId| graph.partitions(*asset).and_then(windows).is_some();
    partitioned().find(by_time).or_else(|| partitioned().next())
}

/// The windows of a definition: its own, or those of its only dimension of time.
fn windows(definition: &PartitionsDefinition) -> Option<&TimeWindowPartitions> {
    match definition {
        PartitionsDefinition::TimeWindow(windows) => Some(windows),
        PartitionsDefinition::Multi(multi) => multi.time_dimension().map(|(_, windows)| windows),
        _ => None,
    }
}

/// The expression of windows with some of its fields replaced.
fn derived(
    windows: &TimeWindowPartitions,
    offsets: [Option<u32>; 4],
    target: &Selection,
) -> Result<CronExpression, InvalidTrigger> {
    const OPTIONS: [&str; 4] = ["minute", "hour", "weekday", "day"];
    // Which of the options each cadence has, and where they stand in the expression.
    const FIELDS: [usize; 4] = [0, 1, 4, 2];
    let cadence = windows.cadence();
    let allowed = match cadence {
        Cadence::Hourly => [true, false, false, false],
        Cadence::Daily => [true, true, false, false],
        Cadence::Weekly => [true, true, true, false],
        Cadence::Monthly => [true, true, false, true],
        Cadence::Cron => [false; 4],
    };
    let own = windows.cron_expression();
    let mut fields: Vec<String> = own.as_str().split_whitespace().map(str::to_owned).collect();
    for (place, offset) in offsets.iter().enumerate() {
        let Some(offset) = offset else { continue };
        if !allowed[place] {
            return Err(InvalidTrigger::NoSuchOffset {
                option: OPTIONS[place],
                target: target.to_string(),
                cadence: cadence.to_string(),
            });
        }
        if let Some(field) = fields.get_mut(FIELDS[place]) {
            *field = offset.to_string();
        }
    }
    // Days that some months have not got are days that the schedule skips, as in Dagster.
    Ok(CronExpression::new(fields.join(" ")).unwrap_or_else(|_| own.clone()))
}
