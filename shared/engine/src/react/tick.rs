//! Ticks: being called when time alone changes something.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, SecondsFormat, SubsecRound, TimeDelta, Utc};

use crate::{
    run::Clock,
    state::{Advance, StateStore, TickRequest, TriggerId, TriggerKind, TriggerState},
};

/// How far ahead a tick is arranged at least: who is called has to find that the moment has passed.
const AHEAD: TimeDelta = TimeDelta::seconds(2);

/// How often arranging one begins again when others were faster.
const ATTEMPTS: usize = 24;

/// Calls whoever reacts, at a moment.
#[async_trait]
pub trait TickScheduler: Send + Sync {
    /// Makes sure of a tick at this moment, or of an earlier one that is still to come: whoever is
    /// called then arranges the next. It may be asked again and by several at once for the same or
    /// different moments.
    ///
    /// # Errors
    /// Why it cannot be arranged now; it will be asked again.
    async fn call_at(&self, due: DateTime<Utc>) -> Result<(), String>;
}

/// The trigger that stands for the tick: its cursor is the moment of the one that is arranged.
pub(super) fn trigger() -> TriggerId {
    TriggerId::new(TriggerKind::Automation, "tick")
}

/// A scheduler that is asked only when no earlier tick is to come, as the record has it. A tick is
/// arranged before it is put down, so that one which is on record exists; who dies in between leaves one
/// that nobody needs, and that does no harm.
pub struct RecordedTicks {
    state: Arc<dyn StateStore>,
    clock: Arc<dyn Clock>,
    scheduler: Arc<dyn TickScheduler>,
}

impl RecordedTicks {
    /// Puts a record before a scheduler.
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

    async fn read(&self) -> Result<TriggerState, String> {
        let state = self.state.trigger(&trigger()).await;
        state.map_err(|error| error.to_string())
    }
}

/// Whether a tick comes soon enough.
fn is_arranged(state: &TriggerState, now: DateTime<Utc>, due: DateTime<Utc>) -> bool {
    let arranged = state
        .cursor
        .as_deref()
        .and_then(|cursor| cursor.parse().ok());
    arranged.is_some_and(|arranged: DateTime<Utc>| arranged > now && arranged <= due)
}

/// Whole seconds, and not before it can be heard.
fn rounded(now: DateTime<Utc>, due: DateTime<Utc>) -> DateTime<Utc> {
    let due = due.max(now + AHEAD);
    let whole = due.trunc_subsecs(0);
    if whole == due {
        whole
    } else {
        whole + TimeDelta::seconds(1)
    }
}

#[async_trait]
impl TickScheduler for RecordedTicks {
    async fn call_at(&self, due: DateTime<Utc>) -> Result<(), String> {
        let now = self.clock.now();
        let due = rounded(now, due);
        let mut state = self.read().await?;
        if is_arranged(&state, now, due) {
            return Ok(());
        }
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
            let advanced = self.state.advance(&trigger(), advance).await;
            match advanced.map_err(|error| error.to_string())? {
                crate::state::Advanced::Done { .. } => return Ok(()),
                // Somebody arranged another one, which may come later.
                crate::state::Advanced::Refused(other) if is_arranged(&other, now, due) => {
                    return Ok(());
                }
                crate::state::Advanced::Refused(other) => state = other,
            }
        }
        Err("the next tick is arranged by too many at once".to_owned())
    }
}
