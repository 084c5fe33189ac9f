//! Helpers of `sensors`, `schedules` and `ticks`.

use chrono::{DateTime, Utc};
use precip_core::prose::did_you_mean;
use precip_engine::{
    state::{Tick, TriggerId},
    trigger,
};

use super::ticks::describe_outcome;
use crate::{exit::Exit, failure::Failure, output::format_ago, session::Session};

/// Returns `on` or `off`, with `(by hand)` when a command set it.
pub(super) fn running_label(running: bool, by_hand: bool) -> String {
    let on = if running { "on" } else { "off" };
    if by_hand {
        format!("{on} (by hand)")
    } else {
        on.to_owned()
    }
}

/// Returns what a trigger materializes, for a list.
pub(super) fn target_label(target: Option<&String>) -> String {
    target.map_or_else(|| "what it requests".to_owned(), Clone::clone)
}

/// Returns the time and outcome of a trigger's last tick, for a list.
pub(super) fn last_tick_cells(tick: Option<&Tick>, now: DateTime<Utc>) -> [String; 2] {
    match tick {
        None => ["never".to_owned(), String::new()],
        Some(tick) => [format_ago(tick.at, now), describe_outcome(&tick.outcome)],
    }
}

/// Turns a trigger on or off, and prints that.
///
/// # Errors
/// [`Failure`] when the record cannot be written.
pub(super) async fn set_running(
    session: &Session,
    kind: &str,
    name: &str,
    id: &TriggerId,
    start: bool,
) -> Result<Exit, Failure> {
    trigger::switch_trigger(session.store.as_ref(), id, start, session.context.now).await?;
    let on = if start { "on" } else { "off" };
    session.print_note(&format!("{kind} {name} is {on}"));
    Ok(Exit::Done)
}

/// Returns the failure for an unknown trigger, with the nearest names.
pub(super) fn unknown_trigger<'a>(
    kind: &str,
    name: &str,
    names: impl Iterator<Item = &'a str>,
) -> Failure {
    let help = did_you_mean(name, names).unwrap_or_else(|| format!("`{kind}s` lists the {kind}s"));
    Failure::usage(format!("there is no {kind} `{name}`")).with_help(help)
}
