//! `automation status`, `on`, `off` and `history`: what the automation conditions did, and whether they
//! are evaluated at all.

use std::io::Write;

use chrono::{DateTime, Utc};
use precip_core::trigger::DefaultStatus;
use precip_engine::{
    automation::{evaluate_automation, trigger},
    state::{PageRequest, Tick},
    trigger::{TriggerError, status, turn},
};
use serde::Serialize;

use super::{ticks::outcome, triggers::on};
use crate::{
    exit::Exit,
    failure::Failure,
    output::{ago, json, moment},
    session::Session,
};

/// How many evaluations are looked through for those of one asset, at a time.
const PAGE: usize = 100;

/// Whether the conditions are evaluated, and what they did.
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

/// Says whether the conditions are evaluated, and what they did last.
///
/// # Errors
/// [`Failure`] when a condition makes no sense or the record cannot be read.
pub async fn automation_status(session: &Session, out: &mut dyn Write) -> Result<Exit, Failure> {
    let state = session.store.trigger(&trigger()).await?;
    let evaluated = evaluate_automation(&session.definitions, &session.store, &session.context);
    let evaluated = evaluated.await.map_err(TriggerError::from)?;
    let status_now = status(DefaultStatus::Running, &state);
    let status = Status {
        running: status_now.running,
        by_hand: status_now.by_hand,
        assets: evaluated.evaluation.explanations.len(),
        next: evaluated.next.filter(|_| status_now.running),
        last_tick: state.last_tick,
    };
    if session.json {
        json(out, &status)?;
        return Ok(Exit::Done);
    }
    let assets = match status.assets {
        1 => "1 asset has a condition".to_owned(),
        count => format!("{count} assets have a condition"),
    };
    writeln!(out, "automation: {}", on(status.running, status.by_hand))?;
    writeln!(out, "{assets}")?;
    if let Some(next) = status.next {
        writeln!(out, "next by time  {}", moment(next))?;
    }
    if let Some(tick) = &status.last_tick {
        let ago = ago(tick.at, session.context.now);
        writeln!(out, "last tick     {ago}: {}", outcome(&tick.outcome))?;
    }
    session.say("`automation history ASSET` says why an asset was made or was not");
    Ok(Exit::Done)
}

/// Turns the evaluation of all conditions on or off.
///
/// # Errors
/// [`Failure`] when the record cannot be written.
pub async fn turn_automation(session: &Session, start: bool) -> Result<Exit, Failure> {
    let (store, now) = (session.store.as_ref(), session.context.now);
    turn(store, &trigger(), start, now).await?;
    session.say(match start {
        true => "automation is on: what changed meanwhile is taken up with the next change",
        false => "automation is off: assets are made only when asked for",
    });
    Ok(Exit::Done)
}

/// One evaluation of an asset's condition, as it was kept.
#[derive(Debug, Serialize)]
struct Kept {
    at: DateTime<Utc>,
    outcome: String,
    explanation: String,
}

/// Says why an asset was made by itself, or was not although something upstream was new: the kept
/// evaluations of its condition, newest first.
///
/// # Errors
/// [`Failure`] when there is no such asset, or the record cannot be read.
pub async fn automation_history(
    session: &Session,
    key: &str,
    limit: usize,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    session.asset(key)?;
    let mut kept: Vec<Kept> = Vec::new();
    let mut page = PageRequest::first(PAGE);
    loop {
        let ticks = session.store.ticks(&trigger(), &page).await?;
        let of_asset = ticks.items.into_iter().filter_map(|tick| {
            let explanation = part(tick.note.as_deref()?, key)?;
            Some(Kept {
                at: tick.at,
                outcome: outcome(&tick.outcome),
                explanation,
            })
        });
        kept.extend(of_asset);
        match ticks.next {
            Some(token) if kept.len() < limit => page = page.after(token),
            _ => break,
        }
    }
    kept.truncate(limit);
    if session.json {
        json(out, &kept)?;
        return Ok(Exit::Done);
    }
    if kept.is_empty() {
        session.say(&format!(
            "no evaluation of `{key}` is kept: nothing it is made from was new since it has a \
             condition; `automation explain {key}` says what holds now"
        ));
    }
    for one in &kept {
        let ago = ago(one.at, session.context.now);
        writeln!(out, "{} ({ago}): {}", moment(one.at), one.outcome)?;
        writeln!(out, "{}", one.explanation)?;
    }
    Ok(Exit::Done)
}

/// What a note says of an asset: the lines under its key, as far as the next key.
fn part(note: &str, key: &str) -> Option<String> {
    let mut lines = note.lines().skip_while(|line| *line != key);
    lines.next()?;
    let mut part = String::new();
    for line in lines.take_while(|line| !line.is_empty()) {
        part.push_str(line);
        part.push('\n');
    }
    Some(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_part_of_an_asset_ends_before_the_next() {
        let note = "a\n+ eager\n  - missing\n\nb\n- eager\n\n";
        assert_eq!(part(note, "a").as_deref(), Some("+ eager\n  - missing\n"));
        assert_eq!(part(note, "b").as_deref(), Some("- eager\n"));
        assert_eq!(part(note, "c"), None);
    }
}
