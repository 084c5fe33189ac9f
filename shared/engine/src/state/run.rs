//! Records of runs.

use std::{collections::BTreeMap, fmt};

use chrono::{DateTime, Utc};
use precip_core::{
    key::{AssetKey, CheckKey},
    partitions::{PartitionKey, PartitionSet},
};
use serde::{Deserialize, Serialize};

use crate::{run_id::RunId, state::TriggerId};

/// Where a run is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Asked for, not begun.
    Queued,
    /// At work; or interrupted, when its owner is gone.
    Running,
    /// Asked to stop; what it began is still coming to its end.
    Canceling,
    /// Everything it planned was made.
    Succeeded,
    /// Something it planned failed.
    Failed,
    /// It was stopped.
    Canceled,
}

impl RunStatus {
    /// Every status, in the order of a run's life.
    pub const ALL: [Self; 6] = [
        Self::Queued,
        Self::Running,
        Self::Canceling,
        Self::Succeeded,
        Self::Failed,
        Self::Canceled,
    ];

    /// Whether nothing happens in the run any more, unless it is resumed.
    pub fn is_finished(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Canceled)
    }

    /// Whether a run may go from this status to that one. A failed or canceled run may run again
    /// (resumed here, redriven on Step Functions); a run that succeeded may not.
    pub fn may_become(self, next: Self) -> bool {
        use RunStatus::{Canceled, Canceling, Failed, Queued, Running, Succeeded};
        match self {
            Queued => matches!(next, Running | Canceling | Canceled | Failed | Succeeded),
            Running => matches!(next, Canceling | Succeeded | Failed | Canceled),
            Canceling => matches!(next, Succeeded | Failed | Canceled),
            Failed | Canceled => next == Running,
            Succeeded => false,
        }
    }

    /// The status as it is written, such as `running`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Canceling => "canceling",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
        }
    }
}

impl fmt::Display for RunStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What makes two requests the same request: a store creates one run for a key, ever.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunKey(String);

const REQUEST: &str = "request:";
const EXECUTION: &str = "execution:";

impl RunKey {
    /// A key that a person or another system chose for its request.
    pub fn requested(key: &str) -> Self {
        Self(format!("{REQUEST}{key}"))
    }

    /// A key that a trigger chose: keys of different triggers never meet.
    pub fn triggered(trigger: &TriggerId, key: &str) -> Self {
        Self(format!("{trigger}:{key}"))
    }

    /// The key of a run that an execution of a state machine was started for, by the execution's
    /// ARN.
    pub fn executed(execution: &str) -> Self {
        Self(format!("{EXECUTION}{execution}"))
    }

    /// The key as it was requested; `None` for one of another scope.
    pub fn request(&self) -> Option<&str> {
        self.0.strip_prefix(REQUEST)
    }

    /// The ARN of the execution that the run was started for; `None` for a key of another scope.
    pub fn execution(&self) -> Option<&str> {
        self.0.strip_prefix(EXECUTION)
    }

    /// The key with its scope.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who asked for a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunOrigin {
    /// A person or another system.
    #[default]
    Manual,
    /// A sensor, a schedule or the automation of assets.
    Trigger(TriggerId),
    /// An earlier run whose missing part is made again.
    RetryOf(RunId),
}

/// What a run was asked to do, as it was asked: planning the same request again at the same moment
/// gives the same plan.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RunRequest {
    /// The asset selection, as it was written.
    pub selection: String,
    /// The partitions, as they were written; `None` when none were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitions: Option<String>,
    /// The run config; `Null` when none was given.
    #[serde(default)]
    pub config: serde_json::Value,
    /// The tags.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// Who asked.
    #[serde(default)]
    pub origin: RunOrigin,
}

/// How large a run's plan is, and where the whole plan can be read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanSummary {
    /// The (asset, partition) pairs.
    pub items: u64,
    /// The waves.
    pub waves: u32,
    /// How many partitions of each asset.
    pub assets: BTreeMap<AssetKey, u64>,
    /// Where the executor keeps the whole plan; its form is the executor's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
}

/// A run to be created.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewRun {
    /// The id, made by the caller.
    pub id: RunId,
    /// What makes a repeated request the same request.
    pub key: Option<RunKey>,
    /// What was asked.
    pub request: RunRequest,
    /// The plan, when it is made already.
    pub plan: Option<PlanSummary>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
}

/// The answer to creating a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CreatedRun {
    /// It is new, and [`RunStatus::Queued`].
    New(Box<Run>),
    /// There was one of the same key or the same id already: this is it.
    Existing(Box<Run>),
}

impl CreatedRun {
    /// The run, new or not.
    pub fn run(&self) -> &Run {
        match self {
            Self::New(run) | Self::Existing(run) => run,
        }
    }

    /// Whether the call created it.
    pub fn is_new(&self) -> bool {
        matches!(self, Self::New(_))
    }
}

/// The process that executes a run. An id of the process's own choice, unique for ever.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OwnerId(pub String);

/// Who executes a run, and when it was last heard of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunOwner {
    /// The process.
    pub id: OwnerId,
    /// When it last said that it is alive.
    pub heartbeat_at: DateTime<Utc>,
}

/// A run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The id.
    pub id: RunId,
    /// What makes a repeated request the same request.
    pub key: Option<RunKey>,
    /// What was asked.
    pub request: RunRequest,
    /// The plan, once it is made.
    pub plan: Option<PlanSummary>,
    /// Where it is in its life.
    pub status: RunStatus,
    /// Why it has its status, where somebody said so.
    pub message: Option<String>,
    /// Who executes it.
    pub owner: Option<RunOwner>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it last began to run.
    pub started_at: Option<DateTime<Utc>>,
    /// When it came to its end; `None` while it is not finished.
    pub finished_at: Option<DateTime<Utc>>,
}

impl NewRun {
    /// The run as it is when it is new.
    pub fn into_run(self) -> Run {
        Run {
            id: self.id,
            key: self.key,
            request: self.request,
            plan: self.plan,
            status: RunStatus::Queued,
            message: None,
            owner: None,
            created_at: self.created_at,
            started_at: None,
            finished_at: None,
        }
    }
}

impl Run {
    /// Whether it is under way with nobody executing it: its owner was last heard of before
    /// `stale_before`, or it has none.
    pub fn is_interrupted(&self, stale_before: DateTime<Utc>) -> bool {
        matches!(self.status, RunStatus::Running | RunStatus::Canceling)
            && self
                .owner
                .as_ref()
                .is_none_or(|owner| owner.heartbeat_at < stale_before)
    }

    /// Makes a process the owner, by the rule of
    /// [`claim_run`](crate::state::RunStore::claim_run).
    pub fn claim(
        &mut self,
        owner: OwnerId,
        now: DateTime<Utc>,
        stale_before: DateTime<Utc>,
    ) -> RunChanged {
        let free = self
            .owner
            .as_ref()
            .is_none_or(|held| held.id == owner || held.heartbeat_at < stale_before);
        if !free || self.status.is_finished() {
            return RunChanged::Refused(Box::new(self.clone()));
        }
        self.owner = Some(RunOwner {
            id: owner,
            heartbeat_at: now,
        });
        RunChanged::Changed(Box::new(self.clone()))
    }

    /// Puts down that the owner is alive, by the rule of
    /// [`heartbeat`](crate::state::RunStore::heartbeat).
    pub fn beat(&mut self, owner: &OwnerId, now: DateTime<Utc>) -> RunChanged {
        match &mut self.owner {
            Some(held) if held.id == *owner => {
                held.heartbeat_at = held.heartbeat_at.max(now);
                RunChanged::Changed(Box::new(self.clone()))
            }
            _ => RunChanged::Refused(Box::new(self.clone())),
        }
    }

    /// Applies a change of status that [`RunChange::applies_to`] it. Adapters that read, decide and
    /// write call this; it is the one place where the rule stands.
    pub fn apply(&mut self, change: &RunChange) {
        self.status = change.to;
        self.message.clone_from(&change.message);
        if change.to == RunStatus::Running {
            self.started_at = Some(change.at);
        }
        self.finished_at = change.to.is_finished().then_some(change.at);
        if change.to.is_finished() {
            self.owner = None;
        }
    }
}

/// A change of a run's status, to be made only if the run is where the caller believes it to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunChange {
    /// The status in which the caller believes it: any of these.
    pub from: Vec<RunStatus>,
    /// The status it is to get.
    pub to: RunStatus,
    /// When.
    pub at: DateTime<Utc>,
    /// Why, for a person.
    pub message: Option<String>,
}

impl RunChange {
    /// A change from one of some statuses.
    pub fn new(from: impl Into<Vec<RunStatus>>, to: RunStatus, at: DateTime<Utc>) -> Self {
        Self {
            from: from.into(),
            to,
            at,
            message: None,
        }
    }

    /// Adds why.
    #[must_use]
    pub fn because(mut self, message: impl Into<String>) -> Self {
        self.message = Some(message.into());
        self
    }

    /// Whether a run of this status may make the change.
    pub fn applies_to(&self, status: RunStatus) -> bool {
        self.from.contains(&status) && status.may_become(self.to)
    }
}

/// The answer to a conditional change: made, or refused because the run was elsewhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunChanged {
    /// The run as it is now.
    Changed(Box<Run>),
    /// Nothing was changed; the run as it is.
    Refused(Box<Run>),
}

impl RunChanged {
    /// The run as it is now.
    pub fn run(&self) -> &Run {
        match self {
            Self::Changed(run) | Self::Refused(run) => run,
        }
    }

    /// Whether the change was made.
    pub fn is_changed(&self) -> bool {
        matches!(self, Self::Changed(_))
    }
}

/// Which runs a list holds. The default holds all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunFilter {
    /// Only runs of these statuses; empty means any.
    pub statuses: Vec<RunStatus>,
    /// Only runs that have all of these tags.
    pub tags: BTreeMap<String, String>,
    /// Only runs created at or after this moment.
    pub since: Option<DateTime<Utc>>,
}

impl RunFilter {
    /// Whether a run belongs to the list.
    pub fn matches(&self, run: &Run) -> bool {
        (self.statuses.is_empty() || self.statuses.contains(&run.status))
            && self
                .tags
                .iter()
                .all(|(tag, value)| run.request.tags.get(tag) == Some(value))
            && self.since.is_none_or(|since| run.created_at >= since)
    }
}

/// Why a run did not try some partitions.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum SkipReason {
    /// Something it is made from failed in this run.
    UpstreamFailed {
        /// The upstream asset.
        asset: AssetKey,
        /// One upstream partition that failed; `None` for an unpartitioned asset.
        partition: Option<PartitionKey>,
    },
    /// A blocking check failed on something it is made from.
    CheckFailed {
        /// The check.
        check: CheckKey,
    },
    /// The run was canceled first.
    Canceled,
}

/// Partitions of one asset that a run did not try.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Skipped {
    /// The asset.
    pub asset: AssetKey,
    /// The partitions, by ordinal.
    pub partitions: PartitionSet,
    /// Why.
    pub reason: SkipReason,
}

/// What a run has made.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RunMade {
    /// What it published, by ordinal.
    pub assets: BTreeMap<AssetKey, PartitionSet>,
    /// The partitions that checks were evaluated on, by ordinal.
    pub checks: BTreeMap<CheckKey, PartitionSet>,
}

/// How far a run is, in (asset, partition) pairs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunProgress {
    /// Made and published.
    pub succeeded: u64,
    /// Given up on.
    pub failed: u64,
    /// Not tried, since what they need is missing.
    pub skipped: u64,
}
