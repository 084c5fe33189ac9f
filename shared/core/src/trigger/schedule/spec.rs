//! [`ScheduleSpec`]: the declaration of a schedule.

use std::time::Duration;

use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ResolvedSchedule;
use crate::{
    cron::{CronExpression, CronSchedule},
    graph::{AssetGraph, AssetId, AssetSet},
    partitions::{Cadence, PartitionsDefinition, TimeWindowPartitions},
    selection::Selection,
    spec::TriggerName,
    trigger::{DefaultStatus, InvalidTrigger, common::resolve_target},
};

/// The declaration of a schedule: its ticks and its target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScheduleSpec {
    /// The name, unique among schedules.
    pub name: TriggerName,
    /// The times of its ticks.
    pub timing: ScheduleTiming,
    /// The assets to materialize. A schedule with a function may leave them to the function's run
    /// requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Selection>,
    /// The missed ticks to catch up on.
    #[serde(default)]
    pub catch_up: CatchUp,
    /// The status until the schedule is turned on or off.
    #[serde(default)]
    pub default_status: DefaultStatus,
    /// The description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// `true` if a function decides what runs; otherwise a tick materializes the windows of its own
    /// (see [`ResolvedSchedule::partitions_of_tick`]).
    #[serde(default)]
    pub has_function: bool,
}

/// The times at which a schedule ticks.
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
    /// After windows of the target's partitions have closed: each tick handles the windows that came
    /// to exist since the tick before. As Dagster's `build_schedule_from_partitioned_job`.
    Partitions {
        /// The minute of the hour; by default that of the windows' start.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        minute: Option<u32>,
        /// The hour of the day; by default that of the windows' start.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hour: Option<u32>,
        /// The day of the week, 0 for Sunday; by default that of the windows' start.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        weekday: Option<u32>,
        /// The day of the month; by default that of the windows' start.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        day: Option<u32>,
        /// The time zone; by default that of the partitions.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(with = "Option<String>")]
        timezone: Option<Tz>,
    },
}

/// The ticks to catch up on after a time in which the schedule could not be evaluated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CatchUp {
    /// Every missed tick, each with its own partitions.
    #[default]
    All,
    /// The last missed tick.
    Latest,
    /// Missed ticks that are not older than this.
    Within(Duration),
}

impl ScheduleSpec {
    /// Resolves the schedule against the assets of its project.
    ///
    /// # Errors
    /// [`InvalidTrigger`], which says what to write instead.
    pub fn resolve(&self, graph: &AssetGraph) -> Result<ResolvedSchedule, InvalidTrigger> {
        let Some(target) = &self.target else {
            return match &self.timing {
                _ if !self.has_function => Err(InvalidTrigger::NoTarget),
                ScheduleTiming::Partitions { .. } => Err(InvalidTrigger::NoTarget),
                ScheduleTiming::Cron { cron, timezone } => Ok(ResolvedSchedule::new(
                    CronSchedule::from_expression(cron.clone(), *timezone),
                    None,
                    self,
                )),
            };
        };
        // With a target, also the ticks of a cron schedule have partitions.
        let assets = resolve_target(target, graph)?;
        let partitioned = first_partitioned(graph, &assets);
        let partitions = partitioned.and_then(|asset| graph.asset(asset).partitions.clone());
        let cron = match &self.timing {
            ScheduleTiming::Cron { cron, timezone } => {
                CronSchedule::from_expression(cron.clone(), *timezone)
            }
            ScheduleTiming::Partitions {
                minute,
                hour,
                weekday,
                day,
                timezone,
            } => {
                let windows = partitions
                    .as_deref()
                    .and_then(time_windows_of)
                    .ok_or_else(|| InvalidTrigger::NoTimePartitions {
                        target: target.to_string(),
                    })?;
                let offsets = [*minute, *hour, *weekday, *day];
                let cron = derive_cron(windows, offsets, target)?;
                CronSchedule::from_expression(cron, timezone.unwrap_or_else(|| windows.timezone()))
            }
        };
        Ok(ResolvedSchedule::new(cron, partitions, self))
    }
}

/// Returns the first asset, in topological order, with time windows; otherwise the first
/// partitioned one.
fn first_partitioned(graph: &AssetGraph, assets: &AssetSet) -> Option<AssetId> {
    let partitioned = || {
        let selected = graph.topological().iter().copied();
        selected.filter(|asset| assets.contains(*asset) && graph.partitions(*asset).is_some())
    };
    let by_time = |asset: &AssetId| graph.partitions(*asset).and_then(time_windows_of).is_some();
    partitioned().find(by_time).or_else(|| partitioned().next())
}

/// Returns the time windows of a definition: its own, or those of its time dimension.
pub(super) fn time_windows_of(definition: &PartitionsDefinition) -> Option<&TimeWindowPartitions> {
    match definition {
        PartitionsDefinition::TimeWindow(windows) => Some(windows),
        PartitionsDefinition::Multi(multi) => multi.time_dimension().map(|(_, windows)| windows),
        _ => None,
    }
}

/// The options of `from_partitions`, and the field of each in a cron expression.
const OPTIONS: [(&str, usize); 4] = [("minute", 0), ("hour", 1), ("weekday", 4), ("day", 2)];

/// Returns the cron expression of time windows with some of its fields replaced.
fn derive_cron(
    windows: &TimeWindowPartitions,
    offsets: [Option<u32>; 4],
    target: &Selection,
) -> Result<CronExpression, InvalidTrigger> {
    let cadence = windows.cadence();
    let allowed = match cadence {
        Cadence::Hourly => [true, false, false, false],
        Cadence::Daily => [true, true, false, false],
        Cadence::Weekly => [true, true, true, false],
        Cadence::Monthly => [true, true, false, true],
        Cadence::Cron => [true; 4],
    };
    let own = windows.cron_expression();
    if offsets == [None; 4] {
        return Ok(own.clone());
    }
    let mut fields: Vec<String> = own.as_str().split_whitespace().map(str::to_owned).collect();
    if cadence == Cadence::Cron {
        // Such windows begin at more than one time of day or week. A tick handles every window that
        // closed since the tick before, so the options alone say when it comes.
        let cron = cron_of_options(offsets);
        if offsets[2].is_some() && offsets[3].is_some() {
            return Err(InvalidTrigger::TwoDays { cron });
        }
        fields = cron.split_whitespace().map(str::to_owned).collect();
    }
    for (((option, field), offset), allowed) in OPTIONS.iter().zip(offsets).zip(allowed) {
        let Some(offset) = offset else { continue };
        if !allowed {
            return Err(InvalidTrigger::NoSuchOffset {
                option,
                target: target.to_string(),
                cadence: cadence.to_string(),
                cron: cron_of_options(offsets),
            });
        }
        if let Some(field) = fields.get_mut(*field) {
            *field = offset.to_string();
        }
    }
    // Months without the given day are skipped, as in Dagster.
    Ok(CronExpression::new(fields.join(" ")).unwrap_or_else(|_| own.clone()))
}

/// Returns a cron string that ticks at the time of the options: once a month or week with a day, once
/// a day with an hour, otherwise once an hour.
fn cron_of_options([minute, hour, weekday, day]: [Option<u32>; 4]) -> String {
    let by_day = weekday.is_some() || day.is_some();
    let or_star =
        |value: Option<u32>| value.map_or_else(|| "*".to_owned(), |value| value.to_string());
    format!(
        "{} {} {} * {}",
        minute.unwrap_or(0),
        or_star(hour.or(by_day.then_some(0))),
        or_star(day),
        or_star(weekday)
    )
}
