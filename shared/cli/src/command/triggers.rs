//! What `sensors`, `schedules` and `ticks` have in common.

use chrono::{DateTime, Utc};
use precip_core::nearest::{nearest, or_list};
use precip_engine::{
    state::{Tick, TriggerId},
    trigger,
};

use super::ticks::outcome;
use crate::{exit::Exit, failure::Failure, output::ago, session::Session};

/// `on`, `off`, and who says so.
pub(super) fn on(running: bool, by_hand: bool) -> String {
    let on = if running { "on" } else { "off" };
    if by_hand {
        format!("{on} (by hand)")
    } else {
        on.to_owned()
    }
}

/// What a trigger makes, for a list.
pub(super) fn makes(target: Option<&String>) -> String {
    target.map_or_else(|| "what it asks for".to_owned(), Clone::clone)
}

/// When a trigger last ticked and how that ended, for a list.
pub(super) fn last(tick: Option<&Tick>, now: DateTime<Utc>) -> [String; 2] {
    match tick {
        None => ["never".to_owned(), String::new()],
        Some(tick) => [ago(tick.at, now), outcome(&tick.outcome)],
    }
}

/// Turns a trigger on or off, and says so.
///
/// # Errors
/// [`Failure`] when that cannot be put down.
pub(super) async fn turn(
    session: &Session,
    what: &str,
    name: &str,
    id: &TriggerId,
    start: bool,
) -> Result<Exit, Failure> {
    trigger::turn(session.store.as_ref(), id, start, session.context.now).await?;
    let on = if start { "on" } else { "off" };
    session.say(&format!("{what} {name} is {on}"));
    Ok(Exit::Done)
}

/// There is none of this name.
pub(super) fn unknown<'a>(what: &str, name: &str, names: impl Iterator<Item = &'a str>) -> Failure {
    let failure = Failure::usage(format!("there is no {what} `{name}`"));
    match nearest(name, names).as_slice() {
        [] => failure.help(format!("`{what}s` lists the {what}s")),
        near => failure.help(format!("did you mean {}?", or_list(near))),
    }
}
