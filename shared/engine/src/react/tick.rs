//! Ticks: calls at times at which an evaluation is due without any change.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, SecondsFormat, SubsecRound, TimeDelta, Utc};

use crate::{
    run::Clock,
    state::{Advance, StateStore, TickRequest, TriggerId, TriggerKind, TriggerState},
};

/// Minimum time from now to a tick: when it arrives, the time that it was due must have passed.
const AHEAD: TimeDelta = TimeDelta::seconds(2);

/// Maximum number of attempts to record a tick while others record theirs.
const ATTEMPTS: usize = 24;

/// Arranges calls of [`react`](super::react) with a tick.
#[async_trait]
pub trait TickScheduler: Send + Sync {
    /// Arranges a tick at a time, or relies on an earlier one that is still to come, since each tick
    /// arranges the next. It may be called repeatedly and concurrently, for the same or for different
    /// times.
    ///
    /// # Errors
    /// The reason why it cannot be arranged now; the call will be repeated.
    async fn call_at(&self, due: DateTime<Utc>) -> Result<(), String>;
}

/// Returns the trigger under which ticks are recorded: its cursor is the time of the arranged tick.
pub(super) fn tick_trigger() -> TriggerId {
    TriggerId::new(TriggerKind::Automation, "tick")
}

/// A scheduler that records the arranged tick and calls another scheduler only when no earlier tick is
/// to come. A tick is arranged before it is recorded, so that every recorded tick exists; a process
/// that dies in between leaves an additional tick, which does no harm.
pub struct RecordedTicks {
    state: Arc<dyn StateStore>,
    clock: Arc<dyn Clock>,
    scheduler: Arc<dyn TickScheduler>,
}

impl RecordedTicks {
    /// Creates a recording scheduler that arranges its ticks with `scheduler`.
    pub fn new(
        state: Arc<dyn StateStore>,
        clock: Arc<dyn Clock>,
        scheduler: Arc<dyn TickScheduler>,
    ) -> Self {
        Self {
            state,
            clock,
            scheduler,
        }
    }

    async fn read_state(&self) -> Result<TriggerState, String> {
        let state = self.state.trigger_state(&tick_trigger()).await;
        state.map_err(|error| error.to_string())
    }
}

/// Returns whether a recorded tick is still to come and early enough.
fn is_arranged(state: &TriggerState, now: DateTime<Utc>, due: DateTime<Utc>) -> bool {
    let arranged = state
        .cursor
        .as_deref()
        .and_then(|cursor| cursor.parse().ok());
    arranged.is_some_and(|arranged: DateTime<Utc>| arranged > now && arranged <= due)
}

/// Rounds a time up to whole seconds, and to the minimum time from now.
fn round_up(now: DateTime<Utc>, due: DateTime<Utc>) -> DateTime<Utc> {
    let earliest = due.max(now + AHEAD);
    let whole = earliest.trunc_subsecs(0);
    if whole == earliest {
        whole
    } else {
        whole + TimeDelta::seconds(1)
    }
}

#[async_trait]
impl TickScheduler for RecordedTicks {
    async fn call_at(&self, due: DateTime<Utc>) -> Result<(), String> {
        let now = self.clock.now();
        let due = round_up(now, due);
        let mut state = self.read_state().await?;
        if is_arranged(&state, now, due) {
            return Ok(());
        }
        // Arranged before it is recorded: see the type's documentation.
        self.scheduler.call_at(due).await?;
        for _ in 0..ATTEMPTS {
            let advance = Advance {
                revision: state.revision,
                cursor: Some(due.to_rfc3339_opts(SecondsFormat::Secs, true)),
                at: now,
                scheduled_for: Some(due),
                request: TickRequest::Skip {
                    reason: Some("the next tick was arranged".to_owned()),
                },
                note: None,
            };
            let advanced = self.state.advance_trigger(&tick_trigger(), advance).await;
            match advanced.map_err(|error| error.to_string())? {
                crate::state::Advanced::Done { .. } => return Ok(()),
                // A concurrent call recorded another tick: ours must replace it if that one is later.
                crate::state::Advanced::Refused(other) if is_arranged(&other, now, due) => {
                    return Ok(());
                }
                crate::state::Advanced::Refused(other) => state = other,
            }
        }
        Err("the next tick has too many concurrent updates".to_owned())
    }
}
