//! `ticks`: the ticks of sensors, schedules and automation.

use std::io::Write;

use precip_engine::{
    automation,
    state::{PageRequest, Tick, TickOutcome, TriggerId},
    trigger::{schedule_id, sensor_id},
};
use serde::Serialize;

use super::triggers::unknown_trigger;
use crate::{
    exit::Exit,
    failure::Failure,
    output::{Table, format_ago, format_time, write_json},
    session::Session,
};

/// One tick of a trigger.
#[derive(Debug, Serialize)]
struct Row {
    trigger: String,
    #[serde(flatten)]
    tick: Tick,
}

/// Describes the outcome of a tick.
pub(crate) fn describe_outcome(outcome: &TickOutcome) -> String {
    match outcome {
        TickOutcome::Requested(runs) if runs.len() == 1 => format!("run {}", runs[0]),
        TickOutcome::Requested(runs) => format!("{} runs", runs.len()),
        TickOutcome::Skipped { reason } => {
            let reason = reason.as_deref().unwrap_or("nothing to do");
            format!("skipped: {reason}")
        }
        TickOutcome::Failed { message } => format!("failed: {message}"),
    }
}

/// Lists the ticks of one trigger or of all, newest first.
///
/// # Errors
/// [`Failure`] when there is no such trigger, or the record cannot be read.
pub(crate) async fn list_ticks(
    session: &Session,
    name: Option<&str>,
    limit: usize,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let mut rows = Vec::new();
    for (shown, id) in named_triggers(session, name)? {
        let page = session
            .store
            .list_ticks(&id, &PageRequest::first(limit))
            .await?;
        rows.extend(page.items.into_iter().map(|tick| Row {
            trigger: shown.clone(),
            tick,
        }));
    }
    // Each page is sorted already; together they are not.
    rows.sort_by_key(|row| std::cmp::Reverse(row.tick.at));
    if session.json {
        write_json(out, &rows)?;
        return Ok(Exit::Done);
    }
    if rows.is_empty() {
        session.print_note("no ticks yet: `dev` runs sensors, schedules and automation here");
        return Ok(Exit::Done);
    }
    let mut table = Table::new(["AT", "WHAT", "FOR", "OUTCOME", "WHY"]);
    for row in &rows {
        let note = row.tick.note.as_deref().unwrap_or_default();
        table.add_row([
            format_ago(row.tick.at, session.context.now),
            row.trigger.clone(),
            row.tick.scheduled_for.map(format_time).unwrap_or_default(),
            describe_outcome(&row.tick.outcome),
            note.lines().next().unwrap_or_default().to_owned(),
        ]);
    }
    table.write_to(out)?;
    Ok(Exit::Done)
}

/// Returns the triggers of this name, or all, each with its name.
fn named_triggers(
    session: &Session,
    name: Option<&str>,
) -> Result<Vec<(String, TriggerId)>, Failure> {
    let sensors = session.definitions.sensors().map(|sensor| {
        let name = sensor.name().to_string();
        let id = sensor_id(&name);
        (name, id)
    });
    let schedules = session.definitions.schedules().map(|schedule| {
        let name = schedule.name().to_string();
        let id = schedule_id(&name);
        (name, id)
    });
    let conditions = ("automation".to_owned(), automation::automation_trigger());
    let all: Vec<(String, TriggerId)> = sensors.chain(schedules).chain([conditions]).collect();
    let Some(name) = name else { return Ok(all) };
    let named: Vec<_> = all
        .iter()
        .filter(|(known, _)| known == name)
        .cloned()
        .collect();
    if named.is_empty() {
        let names = all.iter().map(|(known, _)| known.as_str());
        return Err(unknown_trigger("sensor or schedule", name, names)
            .with_help("`sensors` and `schedules` list them; `automation` is one too"));
    }
    Ok(named)
}
