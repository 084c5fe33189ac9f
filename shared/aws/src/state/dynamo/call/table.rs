//! [`Table`].

use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use precip_engine::{run::Sleeper, state::ReadConsistency};

use super::{
    super::{
        capacity::CapacityMeter,
        item::{Item, text_value},
        keys::Key,
    },
    backoff::{Backoff, TokioSleeper},
};

/// The number of concurrent requests of one call.
pub(in super::super) const REQUESTS_AT_ONCE: usize = 16;

/// A table and the client that reaches it.
#[derive(Debug, Clone)]
pub(in super::super) struct Table {
    pub(in super::super) client: Client,
    pub(in super::super) name: String,
    pub(in super::super) meter: Arc<CapacityMeter>,
    pub(in super::super) sleeper: Arc<dyn Sleeper>,
}

/// Returns a key as the attributes of a request.
pub(super) fn key_attributes(key: &Key) -> Item {
    [
        ("pk".to_owned(), text_value(&key.pk)),
        ("sk".to_owned(), text_value(&key.sk)),
    ]
    .into()
}

pub(super) fn is_strong(consistency: ReadConsistency) -> bool {
    consistency == ReadConsistency::Strong
}

impl Table {
    pub(in super::super) fn new(client: Client, name: String) -> Self {
        Self {
            client,
            name,
            meter: Arc::default(),
            sleeper: Arc::new(TokioSleeper),
        }
    }

    /// Begins attempts at an action that completes "could not ..".
    pub(in super::super) fn backoff(&self, action: &'static str) -> Backoff {
        Backoff::new(action, Arc::clone(&self.sleeper))
    }
}
