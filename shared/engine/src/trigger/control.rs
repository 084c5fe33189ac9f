//! Turning sensors and schedules on and off.

use chrono::{DateTime, Utc};
use precip_core::trigger::DefaultStatus;
use serde::Serialize;

use super::TriggerError;
use crate::state::{
    Advance, Advanced, StateStore, TickRequest, TriggerId, TriggerKind, TriggerState,
};

/// How often turning one on is tried while it is evaluated.
const ATTEMPTS: usize = 24;

/// The trigger of a sensor.
pub fn sensor_id(name: &str) -> TriggerId {
    TriggerId::new(TriggerKind::Sensor, name)
}

/// The trigger of a schedule.
pub fn schedule_id(name: &str) -> TriggerId {
    TriggerId::new(TriggerKind::Schedule, name)
}

/// Whether a trigger is on, and who says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct TriggerStatus {
    /// Whether it is on.
    pub running: bool,
    /// Whether somebody turned it on or off; its declaration says so otherwise.
    pub by_hand: bool,
}

/// Whether a trigger is on.
pub fn status(default: DefaultStatus, state: &TriggerState) -> TriggerStatus {
    TriggerStatus {
        running: default.is_on(state.enabled),
        by_hand: state.enabled.is_some(),
    }
}

/// Turns a trigger on or off. A schedule that is turned on begins with its next tick: what would have
/// ticked while it was off is not made up for.
///
/// # Errors
/// When the record cannot be written.
pub async fn turn(
    state: &dyn StateStore,
    trigger: &TriggerId,
    on: bool,
    now: DateTime<Utc>,
) -> Result<(), TriggerError> {
    if on && trigger.kind == TriggerKind::Schedule {
        let cursor = Some(now.to_rfc3339());
        set_cursor(state, trigger, cursor, now, "it was turned on").await?;
    }
    Ok(state.set_enabled(trigger, Some(on)).await?)
}

/// Lets a trigger forget what it has handled. Runs that it requested under a key are not requested
/// again: the keys stay.
///
/// # Errors
/// When the record cannot be written.
pub async fn reset_cursor(
    state: &dyn StateStore,
    trigger: &TriggerId,
    now: DateTime<Utc>,
) -> Result<(), TriggerError> {
    set_cursor(state, trigger, None, now, "its cursor was reset").await
}

async fn set_cursor(
    state: &dyn StateStore,
    trigger: &TriggerId,
    cursor: Option<String>,
    now: DateTime<Utc>,
    reason: &str,
) -> Result<(), TriggerError> {
    for _ in 0..ATTEMPTS {
        let known = state.trigger(trigger).await?;
        let advance = Advance {
            revision: known.revision,
            cursor: cursor.clone(),
            at: now,
            scheduled_for: None,
            request: TickRequest::Skip {
                reason: Some(reason.to_owned()),
            },
            note: None,
        };
        if let Advanced::Done { .. } = state.advance(trigger, advance).await? {
            return Ok(());
        }
    }
    Err(TriggerError::Contended {
        trigger: trigger.to_string(),
    })
}
