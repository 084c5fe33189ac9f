//! `schedules` and `schedule`: what starts runs at set times.

use std::io::Write;

use chrono::{DateTime, Utc};
use precip_core::{
    partitions::PartitionContext,
    trigger::{CatchUp, Ticking, scheduler_expressions},
};
use precip_engine::{
    state::Tick,
    trigger::{ScheduleDefinition, partitions_text, schedule_id, status},
};
use serde::Serialize;

use super::{
    ticks::outcome,
    triggers::{last, makes, on, turn, unknown},
};
use crate::{
    args::ScheduleAction,
    exit::Exit,
    failure::Failure,
    output::{Table, ago, json, moment},
    session::Session,
};

/// One schedule, in the list and by itself.
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
    /// What it is in EventBridge Scheduler.
    scheduler: Vec<String>,
    /// What makes good for what EventBridge Scheduler does around changes of the clock.
    guards: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_tick: Option<Tick>,
}

fn ticking(session: &Session, schedule: &ScheduleDefinition) -> Result<Ticking, Failure> {
    let ticking = schedule.spec.ticking(session.definitions.graph());
    ticking.map_err(|error| Failure::new(Exit::Definitions, error.to_string()))
}

async fn row(session: &Session, schedule: &ScheduleDefinition) -> Result<Row, Failure> {
    let state = session.store.trigger(&schedule_id(schedule.name())).await?;
    let status = status(schedule.spec.default_status, &state);
    let ticking = ticking(session, schedule)?;
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
        next: ticking.after(session.context.now).next(),
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
pub async fn schedules(session: &Session, out: &mut dyn Write) -> Result<Exit, Failure> {
    let mut rows = Vec::new();
    for schedule in session.definitions.schedules() {
        rows.push(row(session, schedule).await?);
    }
    if session.json {
        json(out, &rows)?;
        return Ok(Exit::Done);
    }
    if rows.is_empty() {
        session.say("the project has no schedules: `#[schedule(..)]` declares one");
        return Ok(Exit::Done);
    }
    let mut table = Table::new([
        "SCHEDULE",
        "STATUS",
        "CRON",
        "NEXT",
        "MAKES",
        "LAST TICK",
        "OUTCOME",
    ]);
    for row in &rows {
        let makes = makes(row.makes.as_ref());
        let [at, ended] = last(row.last_tick.as_ref(), session.context.now);
        table.row([
            row.name.clone(),
            on(row.running, row.by_hand),
            row.cron.clone(),
            row.next.map_or_else(|| "never".to_owned(), moment),
            makes,
            at,
            ended,
        ]);
    }
    table.write(out)?;
    Ok(Exit::Done)
}

/// A tick to come, and the partitions it is about.
#[derive(Debug, Serialize)]
struct Coming {
    tick: DateTime<Utc>,
    local: String,
    partitions: Option<String>,
}

/// Shows one schedule, turns it on or off, or lists its next ticks.
///
/// # Errors
/// [`Failure`] when there is no such schedule, or the record cannot be read or written.
pub async fn schedule(
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
        unknown("schedule", name, names)
    })?;
    match action {
        Some(ScheduleAction::Preview { count }) => return preview(session, schedule, count, out),
        Some(action) => {
            let start = action == ScheduleAction::Start;
            return turn(session, "schedule", name, &schedule_id(name), start).await;
        }
        None => {}
    }
    let row = row(session, schedule).await?;
    if session.json {
        json(out, &row)?;
        return Ok(Exit::Done);
    }
    writeln!(out, "{}: {}", row.name, on(row.running, row.by_hand))?;
    if let Some(description) = &row.description {
        writeln!(out, "{description}")?;
    }
    writeln!(out, "cron       {}", row.cron)?;
    if let Some(next) = row.next {
        writeln!(out, "next       {}", moment(next))?;
    }
    writeln!(
        out,
        "makes      {}",
        row.makes.as_deref().unwrap_or("what its function asks for")
    )?;
    writeln!(out, "declared   {}", row.declared_at)?;
    for expression in &row.scheduler {
        writeln!(out, "on AWS     {expression}")?;
    }
    for guard in &row.guards {
        writeln!(out, "           {guard}, for changes of the clock")?;
    }
    if let Some(tick) = &row.last_tick {
        let told = outcome(&tick.outcome);
        writeln!(
            out,
            "last tick  {}: {told}",
            ago(tick.at, session.context.now)
        )?;
    }
    session.say(&format!(
        "`schedule {name} preview` lists its next ticks with their partitions"
    ));
    Ok(Exit::Done)
}

fn preview(
    session: &Session,
    schedule: &ScheduleDefinition,
    count: usize,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let ticking = ticking(session, schedule)?;
    let zone = ticking.cron().timezone();
    let coming = ticking.after(session.context.now).take(count).map(|tick| {
        let context = PartitionContext {
            now: tick,
            dynamic: session.context.dynamic.clone(),
        };
        let set = ticking.partitions(tick, &context);
        Coming {
            tick,
            local: tick
                .with_timezone(&zone)
                .format("%a %Y-%m-%d %H:%M %Z")
                .to_string(),
            partitions: ticking
                .definition()
                .map(|definition| partitions_text(definition, &set, &context)),
        }
    });
    let coming: Vec<Coming> = coming.collect();
    if session.json {
        json(out, &coming)?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(["TICK", "LOCAL", "PARTITIONS"]);
    for tick in &coming {
        let partitions = match tick.partitions.as_deref() {
            None => "-",
            Some("") => "none has closed yet",
            Some(keys) => keys,
        };
        table.row([moment(tick.tick), tick.local.clone(), partitions.to_owned()]);
    }
    table.write(out)?;
    Ok(Exit::Done)
}
