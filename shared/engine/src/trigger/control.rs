//! Turning triggers on and off, and resetting their cursors.

use chrono::{DateTime, Utc};
use precip_core::trigger::DefaultStatus;
use serde::Serialize;

use super::TriggerError;
use crate::state::{
    Advance, Advanced, StateStore, TickRequest, TriggerId, TriggerKind, TriggerState,
};

/// Number of attempts to move a cursor while the trigger is evaluated concurrently.
const ATTEMPTS: usize = 24;

/// Returns the trigger id of a sensor.
pub fn sensor_id(name: &str) -> TriggerId {
    TriggerId::new(TriggerKind::Sensor, name)
}

/// Returns the trigger id of a schedule.
pub fn schedule_id(name: &str) -> TriggerId {
    TriggerId::new(TriggerKind::Schedule, name)
}

/// The status of a trigger, and its origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct TriggerStatus {
    /// True if the trigger is on.
    pub running: bool,
    /// True if it was turned on or off by hand; otherwise its declared default applies.
    pub by_hand: bool,
}

/// Returns the status of a trigger, from its declared default and its recorded state.
pub fn trigger_status(default: DefaultStatus, state: &TriggerState) -> TriggerStatus {
    TriggerStatus {
        running: default.is_on(state.enabled),
        by_hand: state.enabled.is_some(),
    }
}

/// Turns a trigger on or off. A schedule that is turned on continues with its next tick: the ticks
/// while it was off are not caught up.
///
/// # Errors
/// When the state store cannot be written.
pub async fn switch_trigger(
    state: &dyn StateStore,
    trigger: &TriggerId,
    on: bool,
    now: DateTime<Utc>,
) -> Result<(), TriggerError> {
    // The cursor moves before the trigger is on: an evaluation in between sees no missed ticks.
    if on && trigger.kind == TriggerKind::Schedule {
        let cursor = Some(now.to_rfc3339());
        set_cursor(state, trigger, cursor, now, "it was turned on").await?;
    }
    Ok(state.set_trigger_enabled(trigger, Some(on)).await?)
}

/// Resets the cursor of a trigger, so that it handles earlier events again. Runs that it requested
/// under a key are not requested again, since run keys stay.
///
/// # Errors
/// When the state store cannot be written.
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
        let known = state.trigger_state(trigger).await?;
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
        if let Advanced::Done { .. } = state.advance_trigger(trigger, advance).await? {
            return Ok(());
        }
    }
    Err(TriggerError::Contended {
        trigger: trigger.to_string(),
    })
}
