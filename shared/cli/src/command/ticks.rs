//! `ticks`: why something did or did not run.

use std::io::Write;

use precip_engine::{
    automation,
    state::{PageRequest, Tick, TickOutcome, TriggerId},
    trigger::{schedule_id, sensor_id},
};
use serde::Serialize;

use super::triggers::unknown;
use crate::{
    exit::Exit,
    failure::Failure,
    output::{Table, ago, json, moment},
    session::Session,
};

/// One tick, and of what.
#[derive(Debug, Serialize)]
struct Row {
    trigger: String,
    #[serde(flatten)]
    tick: Tick,
}

/// How a tick ended, in words.
pub(crate) fn outcome(outcome: &TickOutcome) -> String {
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
pub async fn ticks(
    session: &Session,
    name: Option<&str>,
    limit: usize,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let mut rows = Vec::new();
    for (shown, id) in triggers(session, name)? {
        let page = session.store.ticks(&id, &PageRequest::first(limit)).await?;
        rows.extend(page.items.into_iter().map(|tick| Row {
            trigger: shown.clone(),
            tick,
        }));
    }
    rows.sort_by_key(|row| std::cmp::Reverse(row.tick.at));
    if session.json {
        json(out, &rows)?;
        return Ok(Exit::Done);
    }
    if rows.is_empty() {
        session.say("nothing ticked yet: `dev` runs sensors, schedules and automation here");
        return Ok(Exit::Done);
    }
    let mut table = Table::new(["AT", "WHAT", "FOR", "OUTCOME", "WHY"]);
    for row in &rows {
        let note = row.tick.note.as_deref().unwrap_or_default();
        table.row([
            ago(row.tick.at, session.context.now),
            row.trigger.clone(),
            row.tick.scheduled_for.map(moment).unwrap_or_default(),
            outcome(&row.tick.outcome),
            note.lines().next().unwrap_or_default().to_owned(),
        ]);
    }
    table.write(out)?;
    Ok(Exit::Done)
}

fn triggers(session: &Session, name: Option<&str>) -> Result<Vec<(String, TriggerId)>, Failure> {
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
    let conditions = ("automation".to_owned(), automation::trigger());
    let all: Vec<(String, TriggerId)> = sensors.chain(schedules).chain([conditions]).collect();
    let Some(name) = name else { return Ok(all) };
    let named: Vec<_> = all
        .iter()
        .filter(|(known, _)| known == name)
        .cloned()
        .collect();
    if named.is_empty() {
        let names = all.iter().map(|(known, _)| known.as_str());
        return Err(unknown("sensor or schedule", name, names)
            .help("`sensors` and `schedules` list them; `automation` is one too"));
    }
    Ok(named)
}
