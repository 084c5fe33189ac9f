//! Records of pools, which limit how many ops of a kind run at once across processes.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The holder of a slot, unique among all holders, such as `{run}/{op}/{partition}`. A request by
/// the same holder renews its slot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SlotHolder(pub String);

/// A request for a slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotRequest {
    /// The pool.
    pub pool: String,
    /// The requesting holder.
    pub holder: SlotHolder,
    /// The current time: slots that have expired by then are free.
    pub now: DateTime<Utc>,
    /// The time at which the slot expires unless it is renewed or released.
    pub expires_at: DateTime<Utc>,
}

/// A taken slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// The holder.
    pub holder: SlotHolder,
    /// The time at which it expires unless it is renewed.
    pub expires_at: DateTime<Utc>,
}

/// The outcome of a request for a slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SlotAnswer {
    /// The holder has a slot until it expires.
    Granted,
    /// The pool has no limit. No slot was taken, and none needs to be released.
    Unlimited,
    /// Every slot is taken.
    Full {
        /// The pool's limit.
        limit: u32,
        /// The earliest expiry of a taken slot; `None` when the limit is 0.
        next_expiry: Option<DateTime<Utc>>,
    },
}

/// A pool at a moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolState {
    /// The number of slots; `None` for no limit.
    pub limit: Option<u32>,
    /// The taken slots, by holder.
    pub slots: Vec<Slot>,
}
