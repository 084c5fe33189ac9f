//! Records of what starts runs: sensors, schedules and the automation of assets.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    run_id::RunId,
    state::{CreatedRun, NewRun, StateError, StateErrorKind},
};

/// The most runs that one tick may request. DynamoDB writes at most 100 items in one transaction,
/// and a run takes three.
pub const MAX_RUNS_PER_TICK: usize = 30;

/// A kind of trigger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TriggerKind {
    /// A sensor: it looks at something outside. Its cursor is its own.
    Sensor,
    /// A schedule. Its cursor is the last scheduled time that was handled.
    Schedule,
    /// The automation conditions of assets. Its cursor is the evaluation's state.
    Automation,
}

impl TriggerKind {
    /// The kind as it is written, such as `sensor`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sensor => "sensor",
            Self::Schedule => "schedule",
            Self::Automation => "automation",
        }
    }
}

/// A trigger: its kind, and its name among those of its kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TriggerId {
    /// The kind.
    pub kind: TriggerKind,
    /// The name.
    pub name: String,
}

impl TriggerId {
    /// Names a trigger.
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

/// What is remembered of a trigger. A trigger that never ticked has the default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TriggerState {
    /// How often it was advanced: the next advance names this number.
    pub revision: u64,
    /// How far it has come.
    pub cursor: Option<String>,
    /// Whether a person turned it off or on; `None` when nobody did, and its declaration decides.
    pub enabled: Option<bool>,
    /// Its last tick.
    pub last_tick: Option<Tick>,
}

/// How a tick ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TickOutcome {
    /// It asked for these runs; some may have existed before.
    Requested(Vec<RunId>),
    /// It asked for nothing.
    Skipped {
        /// Why, where the trigger said so.
        reason: Option<String>,
    },
    /// The trigger failed.
    Failed {
        /// What went wrong.
        message: String,
    },
}

/// One evaluation of a trigger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tick {
    /// When it was evaluated.
    pub at: DateTime<Utc>,
    /// The time for which it was scheduled, of a schedule.
    pub scheduled_for: Option<DateTime<Utc>>,
    /// How it ended.
    pub outcome: TickOutcome,
    /// Why it ended so, for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// One tick to be recorded: the cursor moves and the runs are created, or neither is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Advance {
    /// The revision the caller started from: 0 for a trigger that never ticked.
    pub revision: u64,
    /// How far the trigger has come now.
    pub cursor: Option<String>,
    /// When it was evaluated.
    pub at: DateTime<Utc>,
    /// The time for which it was scheduled, of a schedule.
    pub scheduled_for: Option<DateTime<Utc>>,
    /// What it asks for.
    pub request: TickRequest,
    /// Why, for a person; kept with the tick.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// What a tick asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TickRequest {
    /// These runs: at most [`MAX_RUNS_PER_TICK`].
    Runs(Vec<NewRun>),
    /// Nothing.
    Skip {
        /// Why, where the trigger said so.
        reason: Option<String>,
    },
    /// It failed.
    Fail {
        /// What went wrong.
        message: String,
    },
}

/// The answer to an advance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Advanced {
    /// It is on record.
    Done {
        /// The runs in the order in which they were asked for, new or not.
        runs: Vec<CreatedRun>,
    },
    /// Somebody else advanced the trigger meanwhile. Nothing was changed; this is its state.
    Refused(TriggerState),
}

impl Advance {
    /// The tick to put down, and the new cursor, once the runs are created.
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

/// Refuses a tick that asks for more runs than one transaction can create.
///
/// # Errors
/// `TooLarge`, with what to do instead.
pub fn check_tick_size(trigger: &TriggerId, advance: &Advance) -> Result<(), StateError> {
    match &advance.request {
        TickRequest::Runs(runs) if runs.len() > MAX_RUNS_PER_TICK => Err(StateError::new(
            StateErrorKind::TooLarge,
            format!(
                "{trigger} asks for {} runs in one tick, and at most {MAX_RUNS_PER_TICK} can be \
                 created at once: request one run of many partitions, or move the cursor in \
                 smaller steps",
                runs.len()
            ),
        )),
        _ => Ok(()),
    }
}
