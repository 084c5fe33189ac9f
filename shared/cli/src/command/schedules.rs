//! `schedules` and `schedule`.

use std::io::Write;

use chrono::{DateTime, Utc};
use precip_core::{
    partitions::PartitionContext,
    trigger::{CatchUp, ResolvedSchedule, scheduler_expressions},
};
use precip_engine::{
    state::Tick,
    trigger::{ScheduleDefinition, partitions_text, schedule_id, trigger_status},
};
use serde::Serialize;

use super::{
    ticks::describe_outcome,
    triggers::{last_tick_cells, running_label, set_running, target_label, unknown_trigger},
};
use crate::{
    args::ScheduleAction,
    exit::Exit,
    failure::Failure,
    output::{Table, format_ago, format_time, write_json},
    session::Session,
};

/// One schedule, in the list and in `schedule`.
#[derive(Debug, Serialize)]
struct Row {
    name: String,
    running: bool,
    by_hand: bool,
    cron: String,
    next: Option<DateTime<Utc>>,
    catch_up: CatchUp,
    #[serde(skip_serializing_if = "Option::is_none")]
    makes: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    declared_at: String,
    /// Its expressions in EventBridge Scheduler.
    scheduler: Vec<String>,
    /// Further expressions that cover hours skipped by a daylight-saving change.
    guards: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_tick: Option<Tick>,
}

fn resolve_ticking(
    session: &Session,
    schedule: &ScheduleDefinition,
) -> Result<ResolvedSchedule, Failure> {
    let resolved = schedule.spec.resolve(session.definitions.graph());
    resolved.map_err(|error| Failure::new(Exit::Definitions, error.to_string()))
}

async fn load_row(session: &Session, schedule: &ScheduleDefinition) -> Result<Row, Failure> {
    let state = session
        .store
        .trigger_state(&schedule_id(schedule.name()))
        .await?;
    let status = trigger_status(schedule.spec.default_status, &state);
    let ticking = resolve_ticking(session, schedule)?;
    // A cron that EventBridge Scheduler cannot express still runs locally.
    let translated = scheduler_expressions(ticking.cron()).ok();
    let (scheduler, guards) = translated.map_or_else(Default::default, |translated| {
        let guards = translated.guards.iter().map(|guard| guard.0.to_string());
        let expressions = translated.expressions.iter().map(ToString::to_string);
        (expressions.collect(), guards.collect())
    });
    Ok(Row {
        name: schedule.name().to_string(),
        running: status.running,
        by_hand: status.by_hand,
        cron: ticking.cron().to_string(),
        next: ticking.ticks_after(session.context.now).next(),
        catch_up: schedule.spec.catch_up,
        makes: schedule.spec.target.as_ref().map(ToString::to_string),
        description: schedule.spec.description.clone(),
        declared_at: schedule.source.to_string(),
        scheduler,
        guards,
        last_tick: state.last_tick,
    })
}

/// Lists the schedules.
///
/// # Errors
/// [`Failure`] when the record cannot be read.
pub(crate) async fn list_schedules(
    session: &Session,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let mut rows = Vec::new();
    for schedule in session.definitions.schedules() {
        rows.push(load_row(session, schedule).await?);
    }
    if session.json {
        write_json(out, &rows)?;
        return Ok(Exit::Done);
    }
    if rows.is_empty() {
        session.print_note("the project has no schedules: `#[schedule(..)]` declares one");
        return Ok(Exit::Done);
    }
    let mut table = Table::new([
        "SCHEDULE",
        "STATUS",
        "CRON",
        "NEXT",
        "TARGET",
        "LAST TICK",
        "OUTCOME",
    ]);
    for row in &rows {
        let target = target_label(row.makes.as_ref());
        let [at, ended] = last_tick_cells(row.last_tick.as_ref(), session.context.now);
        table.add_row([
            row.name.clone(),
            running_label(row.running, row.by_hand),
            row.cron.clone(),
            row.next.map_or_else(|| "never".to_owned(), format_time),
            target,
            at,
            ended,
        ]);
    }
    table.write_to(out)?;
    Ok(Exit::Done)
}

/// A future tick and its partitions.
#[derive(Debug, Serialize)]
struct UpcomingTick {
    tick: DateTime<Utc>,
    local: String,
    partitions: Option<String>,
    /// Why the tick has no partitions, if it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    skipped: Option<String>,
}

/// Shows a schedule, starts or stops it, or lists its next ticks.
///
/// # Errors
/// [`Failure`] when there is no such schedule, or the record cannot be read or written.
pub(crate) async fn handle_schedule(
    session: &Session,
    name: &str,
    action: Option<ScheduleAction>,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let schedule = session.definitions.schedule(name).ok_or_else(|| {
        let names = session
            .definitions
            .schedules()
            .map(|schedule| schedule.name().as_str());
        unknown_trigger("schedule", name, names)
    })?;
    match action {
        Some(ScheduleAction::Preview { count }) => {
            return preview_ticks(session, schedule, count, out);
        }
        Some(action) => {
            let start = action == ScheduleAction::Start;
            return set_running(session, "schedule", name, &schedule_id(name), start).await;
        }
        None => {}
    }
    let row = load_row(session, schedule).await?;
    if session.json {
        write_json(out, &row)?;
        return Ok(Exit::Done);
    }
    writeln!(
        out,
        "{}: {}",
        row.name,
        running_label(row.running, row.by_hand)
    )?;
    if let Some(description) = &row.description {
        writeln!(out, "{description}")?;
    }
    writeln!(out, "cron       {}", row.cron)?;
    if let Some(next) = row.next {
        writeln!(out, "next       {}", format_time(next))?;
    }
    writeln!(
        out,
        "target     {}",
        row.makes.as_deref().unwrap_or("what its function requests")
    )?;
    writeln!(out, "declared   {}", row.declared_at)?;
    for expression in &row.scheduler {
        writeln!(out, "on AWS     {expression}")?;
    }
    for guard in &row.guards {
        writeln!(out, "           {guard}, for daylight-saving changes")?;
    }
    if let Some(tick) = &row.last_tick {
        let ended = describe_outcome(&tick.outcome);
        writeln!(
            out,
            "last tick  {}: {ended}",
            format_ago(tick.at, session.context.now)
        )?;
    }
    session.print_note(&format!(
        "`schedule {name} preview` lists its next ticks with their partitions"
    ));
    Ok(Exit::Done)
}

fn preview_ticks(
    session: &Session,
    schedule: &ScheduleDefinition,
    count: usize,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let ticking = resolve_ticking(session, schedule)?;
    let zone = ticking.cron().timezone();
    let coming = ticking
        .ticks_after(session.context.now)
        .take(count)
        .map(|tick| {
            // The partitions that exist at the tick, not now.
            let context = PartitionContext {
                now: tick,
                dynamic: session.context.dynamic.clone(),
            };
            let set = ticking.partitions_of_tick(tick, &context);
            UpcomingTick {
                tick,
                local: tick
                    .with_timezone(&zone)
                    .format("%a %Y-%m-%d %H:%M %Z")
                    .to_string(),
                partitions: ticking
                    .definition()
                    .map(|definition| partitions_text(definition, &set, &context)),
                skipped: set.is_empty().then(|| ticking.explain_empty_tick(tick)),
            }
        });
    let coming: Vec<UpcomingTick> = coming.collect();
    if session.json {
        write_json(out, &coming)?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(["TICK", "LOCAL", "PARTITIONS"]);
    for tick in &coming {
        let partitions = match (tick.skipped.as_deref(), tick.partitions.as_deref()) {
            (Some(reason), _) => reason,
            (None, keys) => keys.unwrap_or("-"),
        };
        table.add_row([
            format_time(tick.tick),
            tick.local.clone(),
            partitions.to_owned(),
        ]);
    }
    table.write_to(out)?;
    Ok(Exit::Done)
}
