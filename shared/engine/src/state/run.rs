//! Records of runs.

use std::{collections::BTreeMap, fmt};

use chrono::{DateTime, Utc};
use precip_core::{
    key::{AssetKey, CheckKey},
    partitions::{PartitionKey, PartitionSet},
};
use serde::{Deserialize, Serialize};

use crate::{
    run_id::RunId,
    state::{MAX_TEXT_BYTES, TriggerId, cut_text},
};

/// The status of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Requested and not started.
    Queued,
    /// At work, or interrupted when its owner is gone.
    Running,
    /// Being canceled: attempts under way still end.
    Canceling,
    /// Finished: everything planned was materialized or skipped.
    Succeeded,
    /// Finished: something planned failed.
    Failed,
    /// Canceled before its end.
    Canceled,
}

impl RunStatus {
    /// Every status, in the order in which a run passes through them.
    pub const ALL: [Self; 6] = [
        Self::Queued,
        Self::Running,
        Self::Canceling,
        Self::Succeeded,
        Self::Failed,
        Self::Canceled,
    ];

    /// Returns `true` if the run has ended. A failed or canceled run can still be resumed.
    pub fn is_finished(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Canceled)
    }

    /// Returns `true` if a run may change from this status to `next`. A failed or canceled run may
    /// run again (resumed locally, redriven on Step Functions); a run that succeeded may not.
    pub fn may_become(self, next: Self) -> bool {
        use RunStatus::{Canceled, Canceling, Failed, Queued, Running, Succeeded};
        // A queued run may end at once: planning may fail, or find nothing to do.
        match self {
            Queued => matches!(next, Running | Canceling | Canceled | Failed | Succeeded),
            Running => matches!(next, Canceling | Succeeded | Failed | Canceled),
            Canceling => matches!(next, Succeeded | Failed | Canceled),
            Failed | Canceled => next == Running,
            Succeeded => false,
        }
    }

    /// Returns the name of the status, such as `running`.
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

/// The identity of a request for a run. A store never creates two runs for one key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunKey(String);

const REQUEST: &str = "request:";
const EXECUTION: &str = "execution:";

impl RunKey {
    /// Creates the key of a request by a person or another system.
    pub fn from_request(key: &str) -> Self {
        Self(format!("{REQUEST}{key}"))
    }

    /// Creates the key of a request by a trigger. Keys of different triggers never collide.
    pub fn from_trigger(trigger: &TriggerId, key: &str) -> Self {
        Self(format!("{trigger}:{key}"))
    }

    /// Creates the key of a run that a state machine execution, given by its ARN, was started for.
    pub fn from_execution(execution: &str) -> Self {
        Self(format!("{EXECUTION}{execution}"))
    }

    /// Returns the key that was requested; `None` for a key of another scope.
    pub fn request_key(&self) -> Option<&str> {
        self.0.strip_prefix(REQUEST)
    }

    /// Returns the ARN of the execution; `None` for a key of another scope.
    pub fn execution_arn(&self) -> Option<&str> {
        self.0.strip_prefix(EXECUTION)
    }

    /// Returns the key with its scope.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The origin of a request for a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunOrigin {
    /// A person or another system.
    #[default]
    Manual,
    /// A sensor, a schedule or the automation of assets.
    Trigger(TriggerId),
    /// A retry of the missing part of an earlier run.
    RetryOf(RunId),
}

/// The work requested of a run, as it was written. Planning one request twice at the same moment
/// gives the same plan.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RequestedWork {
    /// The asset selection, as written.
    pub selection: String,
    /// The partitions, as written; `None` when none were given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitions: Option<String>,
    /// The run config; `Null` when none was given.
    #[serde(default)]
    pub config: serde_json::Value,
    /// The tags.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// The origin of the request.
    #[serde(default)]
    pub origin: RunOrigin,
}

/// The size of a run's plan, and a pointer to the whole plan.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanSummary {
    /// The number of (asset, partition) pairs.
    pub items: u64,
    /// The number of waves.
    pub waves: u32,
    /// The number of partitions of each asset.
    pub assets: BTreeMap<AssetKey, u64>,
    /// The executor's pointer to the whole plan, in the executor's own format.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
}

/// A run to create.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewRun {
    /// The id, generated by the caller.
    pub id: RunId,
    /// The identity of the request, by which a repeated request is recognized.
    pub key: Option<RunKey>,
    /// The requested work.
    pub request: RequestedWork,
    /// The plan, if it exists already.
    pub plan: Option<PlanSummary>,
    /// The time of the request.
    pub created_at: DateTime<Utc>,
}

/// The outcome of creating a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CreatedRun {
    /// A new run, which is [`RunStatus::Queued`].
    New(Box<Run>),
    /// The existing run of the same key or the same id.
    Existing(Box<Run>),
}

impl CreatedRun {
    /// Returns the run, new or not.
    pub fn run(&self) -> &Run {
        match self {
            Self::New(run) | Self::Existing(run) => run,
        }
    }

    /// Returns `true` if the call created the run.
    pub fn is_new(&self) -> bool {
        matches!(self, Self::New(_))
    }
}

/// The id of a process that executes a run. Chosen by the process and never reused.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OwnerId(pub String);

/// The process that executes a run, with its last heartbeat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunOwner {
    /// The process.
    pub id: OwnerId,
    /// The time of its last heartbeat.
    pub heartbeat_at: DateTime<Utc>,
}

/// A run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The id.
    pub id: RunId,
    /// The identity of the request, by which a repeated request is recognized.
    pub key: Option<RunKey>,
    /// The requested work.
    pub request: RequestedWork,
    /// The plan, once it exists.
    pub plan: Option<PlanSummary>,
    /// The status.
    pub status: RunStatus,
    /// The reason for its status, if one was given.
    pub message: Option<String>,
    /// The process that executes it.
    pub owner: Option<RunOwner>,
    /// The time of the request.
    pub created_at: DateTime<Utc>,
    /// The time at which it last started to run.
    pub started_at: Option<DateTime<Utc>>,
    /// The time at which it ended; `None` for an unfinished run.
    pub finished_at: Option<DateTime<Utc>>,
}

impl NewRun {
    /// Returns the queued run.
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
    /// Returns `true` if the run is under way and no process executes it: it has no owner, or its
    /// owner's last heartbeat is before `stale_before`.
    pub fn is_interrupted(&self, stale_before: DateTime<Utc>) -> bool {
        matches!(self.status, RunStatus::Running | RunStatus::Canceling)
            && self
                .owner
                .as_ref()
                .is_none_or(|owner| owner.heartbeat_at < stale_before)
    }

    /// Makes a process the owner, by the rule of
    /// [`claim_run`](crate::state::RunStore::claim_run).
    pub fn claim_ownership(
        &mut self,
        owner: OwnerId,
        now: DateTime<Utc>,
        stale_before: DateTime<Utc>,
    ) -> RunChanged {
        // A process may claim its own run again: a lost answer does not cost it the run.
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

    /// Records a heartbeat of the owner, by the rule of
    /// [`record_heartbeat`](crate::state::RunStore::record_heartbeat).
    pub fn record_heartbeat(&mut self, owner: &OwnerId, now: DateTime<Utc>) -> RunChanged {
        match &mut self.owner {
            Some(held) if held.id == *owner => {
                // Heartbeats may arrive out of order; an old one must not make the owner look
                // stale.
                held.heartbeat_at = held.heartbeat_at.max(now);
                RunChanged::Changed(Box::new(self.clone()))
            }
            _ => RunChanged::Refused(Box::new(self.clone())),
        }
    }

    /// Applies a change of status that [applies](RunChange::applies_to) to the run. Adapters that
    /// read, decide and write share this rule.
    pub fn apply_change(&mut self, change: &RunChange) {
        self.status = change.to;
        self.message.clone_from(&change.message);
        if change.to == RunStatus::Running {
            self.started_at = Some(change.at);
        }
        // A resumed run has no end any more.
        self.finished_at = change.to.is_finished().then_some(change.at);
        if change.to.is_finished() {
            self.owner = None;
        }
    }
}

/// A conditional change of a run's status: applied only if the run has one of the expected
/// statuses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunChange {
    /// The expected statuses.
    pub from: Vec<RunStatus>,
    /// The new status.
    pub to: RunStatus,
    /// The time of the change.
    pub at: DateTime<Utc>,
    /// The reason, for people.
    pub message: Option<String>,
}

impl RunChange {
    /// Creates a change from any of `from`.
    pub fn new(from: impl Into<Vec<RunStatus>>, to: RunStatus, at: DateTime<Utc>) -> Self {
        Self {
            from: from.into(),
            to,
            at,
            message: None,
        }
    }

    /// Sets the reason, cut to fit the run's record.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        self.message = Some(cut_text(&message.into(), MAX_TEXT_BYTES, ""));
        self
    }

    /// Returns `true` if the change applies to a run of this status.
    pub fn applies_to(&self, status: RunStatus) -> bool {
        self.from.contains(&status) && status.may_become(self.to)
    }
}

/// The outcome of a conditional change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunChanged {
    /// The change was applied; this is the run after it.
    Changed(Box<Run>),
    /// The run had another status or owner and is unchanged.
    Refused(Box<Run>),
}

impl RunChanged {
    /// Returns the run as it is now.
    pub fn run(&self) -> &Run {
        match self {
            Self::Changed(run) | Self::Refused(run) => run,
        }
    }

    /// Returns `true` if the change was applied.
    pub fn is_changed(&self) -> bool {
        matches!(self, Self::Changed(_))
    }
}

/// A filter for lists of runs. The default matches every run.
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
    /// Returns `true` if a run passes the filter.
    pub fn matches_run(&self, run: &Run) -> bool {
        (self.statuses.is_empty() || self.statuses.contains(&run.status))
            && self
                .tags
                .iter()
                .all(|(tag, value)| run.request.tags.get(tag) == Some(value))
            && self.since.is_none_or(|since| run.created_at >= since)
    }
}

/// The reason why a run did not try a partition.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum UntriedReason {
    /// An upstream partition failed in this run.
    UpstreamFailed {
        /// The upstream asset.
        asset: AssetKey,
        /// One failed upstream partition; `None` for an unpartitioned asset.
        partition: Option<PartitionKey>,
    },
    /// A blocking check failed on an upstream partition.
    CheckFailed {
        /// The check.
        check: CheckKey,
    },
    /// The run was canceled first.
    Canceled,
    /// An upstream partition that is needed is skipped: there was nothing to make.
    UpstreamSkipped {
        /// The upstream asset.
        asset: AssetKey,
        /// One skipped upstream partition; `None` for an unpartitioned asset.
        partition: Option<PartitionKey>,
    },
}

impl UntriedReason {
    /// Returns `true` if the partition is skipped: neither it nor a retry of the run makes it, and
    /// nothing failed. Otherwise it is held back, and a retry of the run tries it.
    pub fn is_skip(&self) -> bool {
        match self {
            Self::UpstreamSkipped { .. } => true,
            Self::UpstreamFailed { .. } | Self::CheckFailed { .. } | Self::Canceled => false,
        }
    }
}

/// Partitions of one asset that a run did not try.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UntriedPartitions {
    /// The asset.
    pub asset: AssetKey,
    /// The partitions, by ordinal.
    pub partitions: PartitionSet,
    /// The reason.
    pub reason: UntriedReason,
}

/// Counts the (asset, partition) pairs that a run did not try: the skipped and the held back ones. A
/// pair counts once, and as held back if there is any reason for that.
pub fn count_untried(untried: &[UntriedPartitions]) -> (u64, u64) {
    let mut skipped: BTreeMap<&AssetKey, PartitionSet> = BTreeMap::new();
    let mut held_back = skipped.clone();
    for UntriedPartitions {
        asset,
        partitions,
        reason,
    } in untried
    {
        let sets = if reason.is_skip() {
            &mut skipped
        } else {
            &mut held_back
        };
        *sets.entry(asset).or_default() |= partitions;
    }
    for (asset, set) in &mut skipped {
        if let Some(held_back) = held_back.get(asset) {
            *set -= held_back;
        }
    }
    let count = |sets: &BTreeMap<_, PartitionSet>| sets.values().map(PartitionSet::len).sum();
    (count(&skipped), count(&held_back))
}

/// The partitions that a run published and checked.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PublishedByRun {
    /// The published partitions, by ordinal.
    pub assets: BTreeMap<AssetKey, PartitionSet>,
    /// The partitions that each check was evaluated on, by ordinal.
    pub checks: BTreeMap<CheckKey, PartitionSet>,
}

/// The progress of a run, counted in (asset, partition) pairs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunProgress {
    /// Published pairs.
    pub succeeded: u64,
    /// Pairs that the run gave up on.
    pub failed: u64,
    /// Pairs with nothing to make: the op had nothing, or an upstream partition that they need is
    /// skipped.
    pub skipped: u64,
    /// Pairs held back because something that they depend on failed, or the run was canceled.
    #[serde(default)]
    pub held_back: u64,
}

impl RunProgress {
    /// Returns the number of pairs that have ended.
    pub fn ended_count(&self) -> u64 {
        self.succeeded + self.failed + self.skipped + self.held_back
    }
}
