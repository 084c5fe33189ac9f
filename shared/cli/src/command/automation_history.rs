//! `automation status`, `start`, `stop` and `history`: whether conditions are evaluated, and past
//! evaluations.

use std::io::Write;

use chrono::{DateTime, Utc};
use precip_core::trigger::DefaultStatus;
use precip_engine::{
    automation::{automation_trigger, evaluate_automation},
    state::{PageRequest, Tick},
    trigger::{TriggerError, switch_trigger, trigger_status},
};
use serde::Serialize;

use super::{ticks::describe_outcome, triggers::running_label};
use crate::{
    exit::Exit,
    failure::Failure,
    output::{format_ago, format_time, write_json},
    session::Session,
};

/// Number of evaluations read at a time.
const PAGE: usize = 100;

/// The answer of `automation status`.
#[derive(Debug, Serialize)]
struct Status {
    running: bool,
    by_hand: bool,
    assets: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_tick: Option<Tick>,
}

/// Shows whether conditions are evaluated, and the last tick.
///
/// # Errors
/// [`Failure`] when a condition is invalid or the record cannot be read.
pub(crate) async fn show_automation_status(
    session: &Session,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let state = session.store.trigger_state(&automation_trigger()).await?;
    let evaluated = evaluate_automation(&session.definitions, &session.store, &session.context)
        .await
        .map_err(TriggerError::from)?;
    // Without an entry on record, automation is on.
    let status_now = trigger_status(DefaultStatus::Running, &state);
    let status = Status {
        running: status_now.running,
        by_hand: status_now.by_hand,
        assets: evaluated.evaluation.explanations.len(),
        next: evaluated.next.filter(|_| status_now.running),
        last_tick: state.last_tick,
    };
    if session.json {
        write_json(out, &status)?;
        return Ok(Exit::Done);
    }
    let assets = match status.assets {
        1 => "1 asset has a condition".to_owned(),
        count => format!("{count} assets have a condition"),
    };
    writeln!(
        out,
        "automation: {}",
        running_label(status.running, status.by_hand)
    )?;
    writeln!(out, "{assets}")?;
    if let Some(next) = status.next {
        writeln!(out, "next by time  {}", format_time(next))?;
    }
    if let Some(tick) = &status.last_tick {
        let ago = format_ago(tick.at, session.context.now);
        writeln!(
            out,
            "last tick     {ago}: {}",
            describe_outcome(&tick.outcome)
        )?;
    }
    session.print_note("`automation history ASSET` explains past evaluations");
    Ok(Exit::Done)
}

/// Turns the evaluation of all conditions on or off.
///
/// # Errors
/// [`Failure`] when the record cannot be written.
pub(crate) async fn set_automation_running(
    session: &Session,
    start: bool,
) -> Result<Exit, Failure> {
    let (store, now) = (session.store.as_ref(), session.context.now);
    switch_trigger(store, &automation_trigger(), start, now).await?;
    session.print_note(if start {
        "automation is on: changes since it was turned off are handled with the next change"
    } else {
        "automation is off: assets are materialized only on request"
    });
    Ok(Exit::Done)
}

/// A past evaluation of an asset's condition.
#[derive(Debug, Serialize)]
struct PastEvaluation {
    at: DateTime<Utc>,
    outcome: String,
    explanation: String,
}

/// Shows the past evaluations of an asset's condition, newest first: why it was requested, or was not
/// although something upstream was new.
///
/// # Errors
/// [`Failure`] when there is no such asset, or the record cannot be read.
pub(crate) async fn show_automation_history(
    session: &Session,
    key: &str,
    limit: usize,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    session.asset_id(key)?;
    let mut found: Vec<PastEvaluation> = Vec::new();
    let mut page = PageRequest::first(PAGE);
    loop {
        let ticks = session
            .store
            .list_ticks(&automation_trigger(), &page)
            .await?;
        let of_asset = ticks.items.into_iter().filter_map(|tick| {
            // The note of a tick covers all assets that were evaluated in it.
            let explanation = asset_section(tick.note.as_deref()?, key)?;
            Some(PastEvaluation {
                at: tick.at,
                outcome: describe_outcome(&tick.outcome),
                explanation,
            })
        });
        found.extend(of_asset);
        match ticks.next {
            Some(token) if found.len() < limit => page = page.next_page(token),
            _ => break,
        }
    }
    found.truncate(limit);
    if session.json {
        write_json(out, &found)?;
        return Ok(Exit::Done);
    }
    if found.is_empty() {
        session.print_note(&format!(
            "no evaluation of `{key}` is on record: nothing upstream was new since it has a \
             condition; `automation explain {key}` explains the present state"
        ));
    }
    for evaluation in &found {
        let ago = format_ago(evaluation.at, session.context.now);
        writeln!(
            out,
            "{} ({ago}): {}",
            format_time(evaluation.at),
            evaluation.outcome
        )?;
        writeln!(out, "{}", evaluation.explanation)?;
    }
    Ok(Exit::Done)
}

/// Returns the section of a note about an asset: the lines below its key, up to an empty line.
fn asset_section(note: &str, key: &str) -> Option<String> {
    let mut lines = note.lines().skip_while(|line| *line != key);
    lines.next()?;
    let mut section = String::new();
    for line in lines.take_while(|line| !line.is_empty()) {
        section.push_str(line);
        section.push('\n');
    }
    Some(section)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_section_of_an_asset_ends_before_the_next() {
        let note = "a\n+ eager\n  - missing\n\nb\n- eager\n\n";
        assert_eq!(
            asset_section(note, "a").as_deref(),
            Some("+ eager\n  - missing\n")
        );
        assert_eq!(asset_section(note, "b").as_deref(), Some("- eager\n"));
        assert_eq!(asset_section(note, "c"), None);
    }
}
