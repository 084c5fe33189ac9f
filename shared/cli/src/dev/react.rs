//! Ports of reactions in this process: the next tick, and changes of freshness in the view.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use precip_engine::{
    freshness::{FreshnessChange, FreshnessTopic},
    react::TickScheduler,
};

use super::view::View;

/// The time of the next tick, which the event loop checks at each beat.
#[derive(Debug, Default)]
pub(super) struct DevTicks(Mutex<Option<DateTime<Utc>>>);

impl DevTicks {
    /// Returns true, and clears the time, when the tick is due.
    pub(super) fn take_due(&self, now: DateTime<Utc>) -> bool {
        let mut next = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        next.take_if(|due| *due <= now).is_some()
    }
}

#[async_trait]
impl TickScheduler for DevTicks {
    async fn call_at(&self, due: DateTime<Utc>) -> Result<(), String> {
        let mut next = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *next = Some(next.map_or(due, |next| next.min(due)));
        Ok(())
    }
}

/// A topic that shows changes of freshness in the view.
pub(super) struct DevTopic(pub(super) Arc<View>);

#[async_trait]
impl FreshnessTopic for DevTopic {
    async fn raise_changes(&self, changes: &[FreshnessChange]) -> Result<(), String> {
        for change in changes {
            let text = format!("is {} now, and was {}", change.state, change.before);
            self.0.show_event(change.at, change.asset.as_str(), &text);
        }
        Ok(())
    }
}
