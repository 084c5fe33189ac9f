//! Records of pools: how many ops of a kind run at once, across processes.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Who holds a slot. Unique among all that ever ask, such as `{run}/{op}/{partition}`: asking again
/// under the same name renews the slot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SlotHolder(pub String);

/// A slot is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotRequest {
    /// The pool.
    pub pool: String,
    /// Who asks.
    pub holder: SlotHolder,
    /// The present moment: slots that expired by then are free.
    pub now: DateTime<Utc>,
    /// When the slot is free again if it is neither renewed nor released.
    pub expires_at: DateTime<Utc>,
}

/// A slot that is taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// Who holds it.
    pub holder: SlotHolder,
    /// Until when, if it is not renewed.
    pub expires_at: DateTime<Utc>,
}

/// The answer to asking for a slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SlotAnswer {
    /// The holder has a slot until it expires.
    Granted,
    /// The pool has no limit: go ahead. No slot was taken, nothing has to be released.
    Unlimited,
    /// Every slot is taken.
    Full {
        /// The pool's limit.
        limit: u32,
        /// When the next slot expires, if nobody releases one before. `None` when the limit is 0.
        next_expiry: Option<DateTime<Utc>>,
    },
}

/// A pool as it is at some moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolState {
    /// How many slots there are; `None` for no limit.
    pub limit: Option<u32>,
    /// The slots that are taken, by holder.
    pub slots: Vec<Slot>,
}
