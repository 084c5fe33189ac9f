//! What reactions stand on here: the next tick in this process, and changes of freshness told to the
//! person.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use precip_engine::{
    freshness::{FreshnessChange, FreshnessTopic},
    react::TickScheduler,
};

use super::view::View;

/// The next tick, which the loop looks for at each beat.
#[derive(Debug, Default)]
pub(super) struct DevTicks(Mutex<Option<DateTime<Utc>>>);

impl DevTicks {
    /// Whether it is time; then none is arranged any more.
    pub(super) fn take(&self, now: DateTime<Utc>) -> bool {
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

/// Changes of freshness in the view.
pub(super) struct DevTopic(pub(super) Arc<View>);

#[async_trait]
impl FreshnessTopic for DevTopic {
    async fn raise(&self, changes: &[FreshnessChange]) -> Result<(), String> {
        for change in changes {
            let text = format!("is {} now, and was {}", change.state, change.before);
            self.0.tell(change.at, change.asset.as_str(), &text);
        }
        Ok(())
    }
}
