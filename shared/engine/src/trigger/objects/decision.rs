//! [`Decision`]: the result for one event.

use precip_core::partitions::PartitionKey;
use serde::Serialize;

use crate::{run_id::RunId, state::CreatedRun};

/// The decision about one event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "decision", rename_all = "snake_case")]
pub enum Decision {
    /// The event requests runs.
    Requested {
        /// The requested partitions; empty for unpartitioned assets.
        partitions: Vec<PartitionKey>,
        /// The requested runs; empty in a preview.
        runs: Vec<RunId>,
    },
    /// The event was handled before.
    Duplicate,
    /// A later event of the same object was handled, and its run reads the object as it is now.
    Superseded,
    /// The partition was materialized after the object was written.
    Made,
    /// The partition does not exist yet. The event is kept and decided again at every evaluation.
    Waits {
        /// The reason, with the time until which it waits.
        reason: String,
    },
    /// The partition does not exist yet, and the event is not kept: its window begins too late, or enough
    /// events wait. Each sweep evaluates the object again.
    Early {
        /// The reason, with the time until which the partition does not exist.
        reason: String,
    },
    /// The event does not belong to the sensor.
    Ignored {
        /// The reason.
        reason: String,
    },
    /// The sensor's function requested nothing, or no partition matches the object.
    Skipped {
        /// The reason.
        reason: String,
    },
    /// The sensor's function failed and must be retried: do not acknowledge the event.
    Failed {
        /// The error message.
        message: String,
    },
}

/// Options of an evaluation.
#[derive(Debug, Clone, Copy, Default)]
pub struct ObjectOptions<'a> {
    /// Name of the sensor's bucket in this environment; events of other buckets are ignored. `None`
    /// accepts events of any bucket.
    pub bucket: Option<&'a str>,
    /// True if the events come from a listing instead of a notification. Then objects that were handled
    /// or materialized since they were written are left out.
    pub found_by_sweep: bool,
}

/// The outcome of an evaluation.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SensorOutcome {
    /// True if the sensor is running. A stopped sensor ignores every event.
    pub running: bool,
    /// The decision about each event, in the order of the events.
    pub decisions: Vec<Decision>,
    /// The requested runs; a repeated request returns the existing run.
    pub runs: Vec<CreatedRun>,
}
