//! Records of the triggers that start runs: sensors, schedules and automation conditions.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    run_id::RunId,
    state::{CreatedRun, NewRun, StateError, StateErrorKind},
};

/// The maximum number of runs that one tick may request. DynamoDB writes at most 100 items in one
/// transaction, and a run takes three.
pub const MAX_RUNS_PER_TICK: usize = 30;

/// The maximum size of the runs that one tick requests, in bytes as JSON. A transaction of DynamoDB writes at most 4 MB,
/// which the tick and the cursor share.
pub const MAX_BYTES_PER_TICK: usize = 3 * 1024 * 1024;

/// A kind of trigger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TriggerKind {
    /// A sensor, which watches something outside. It chooses its own cursor.
    Sensor,
    /// A schedule. Its cursor is the last scheduled time that was handled.
    Schedule,
    /// The automation conditions of assets. The cursor is the state of their evaluation.
    Automation,
}

impl TriggerKind {
    /// Returns the name of the kind, such as `sensor`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sensor => "sensor",
            Self::Schedule => "schedule",
            Self::Automation => "automation",
        }
    }
}

/// The id of a trigger: its kind, and a name that is unique within the kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TriggerId {
    /// The kind.
    pub kind: TriggerKind,
    /// The name.
    pub name: String,
}

impl TriggerId {
    /// Creates the id of a trigger.
    pub fn new(kind: TriggerKind, name: impl Into<String>) -> Self {
        Self {
            kind,
            name: name.into(),
        }
    }
}

impl fmt::Display for TriggerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind.as_str(), self.name)
    }
}

/// The state of a trigger. A trigger that never ticked has the default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TriggerState {
    /// The number of advances so far, which the next advance has to name.
    pub revision: u64,
    /// The position it has reached.
    pub cursor: Option<String>,
    /// `Some` if a person turned it on or off; `None` leaves the decision to its declaration.
    pub enabled: Option<bool>,
    /// The last tick.
    pub last_tick: Option<Tick>,
}

/// The outcome of a tick.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TickOutcome {
    /// It requested these runs, some of which may have existed before.
    Requested(Vec<RunId>),
    /// It requested nothing.
    Skipped {
        /// The reason, if the trigger gave one.
        reason: Option<String>,
    },
    /// The trigger failed.
    Failed {
        /// The error message.
        message: String,
    },
}

/// One evaluation of a trigger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tick {
    /// The time of the evaluation.
    pub at: DateTime<Utc>,
    /// The scheduled time of a schedule's tick.
    pub scheduled_for: Option<DateTime<Utc>>,
    /// The outcome.
    pub outcome: TickOutcome,
    /// An explanation for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A tick to record: the cursor moves and the runs are created, or neither happens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Advance {
    /// The revision that the caller read: 0 for a trigger that never ticked.
    pub revision: u64,
    /// The position that the trigger reaches with this tick.
    pub cursor: Option<String>,
    /// The time of the evaluation.
    pub at: DateTime<Utc>,
    /// The scheduled time of a schedule's tick.
    pub scheduled_for: Option<DateTime<Utc>>,
    /// The requested runs, or the reason for none.
    pub request: TickRequest,
    /// An explanation for people, stored with the tick.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// The request of a tick.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TickRequest {
    /// Create these runs, at most [`MAX_RUNS_PER_TICK`].
    Runs(Vec<NewRun>),
    /// Create no run.
    Skip {
        /// The reason, if the trigger gave one.
        reason: Option<String>,
    },
    /// Record that the evaluation failed.
    Fail {
        /// The error message.
        message: String,
    },
}

/// The outcome of an advance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Advanced {
    /// The tick is recorded.
    Done {
        /// The runs in the order of the request, new or not.
        runs: Vec<CreatedRun>,
    },
    /// The trigger was advanced since the caller read it. Nothing changed; this is its state.
    Refused(TriggerState),
}

impl Advance {
    /// Returns the tick to store and the new cursor, once the runs are created.
    pub fn into_tick(self, runs: &[CreatedRun]) -> (Tick, Option<String>) {
        let outcome = match self.request {
            TickRequest::Runs(_) => {
                TickOutcome::Requested(runs.iter().map(|created| created.run().id).collect())
            }
            TickRequest::Skip { reason } => TickOutcome::Skipped { reason },
            TickRequest::Fail { message } => TickOutcome::Failed { message },
        };
        let tick = Tick {
            at: self.at,
            scheduled_for: self.scheduled_for,
            outcome,
            note: self.note,
        };
        (tick, self.cursor)
    }
}

/// Rejects a tick that requests more runs, or larger ones, than one transaction can create.
///
/// # Errors
/// `TooLarge`, with what to do instead.
pub fn check_tick_size(trigger: &TriggerId, advance: &Advance) -> Result<(), StateError> {
    let runs = match &advance.request {
        TickRequest::Runs(runs) => runs,
        TickRequest::Skip { .. } | TickRequest::Fail { .. } => return Ok(()),
    };
    let too_large = |problem: String| {
        StateError::new(
            StateErrorKind::TooLarge,
            format!(
                "{trigger} requests {problem}: request one run of many partitions, or move the cursor in smaller steps"
            ),
        )
    };
    if runs.len() > MAX_RUNS_PER_TICK {
        return Err(too_large(format!(
            "{} runs in one tick, and at most {MAX_RUNS_PER_TICK} can be created at once",
            runs.len()
        )));
    }
    let size = |run: &NewRun| serde_json::to_string(run).map_or(0, |json| json.len());
    let bytes: usize = runs.iter().map(size).sum();
    if bytes > MAX_BYTES_PER_TICK {
        return Err(too_large(format!(
            "runs of {} KiB in one tick, and at most {} KiB can be created at once",
            bytes.div_ceil(1024),
            MAX_BYTES_PER_TICK / 1024
        )));
    }
    Ok(())
}
