//! Records of materializations and of attempts that failed.

use chrono::{DateTime, Utc};
use precip_core::{
    key::AssetKey,
    metadata::Metadata,
    partitions::{PartitionKey, PartitionSet},
};
use serde::{Deserialize, Serialize};

use crate::{
    asset::ErrorKind,
    run_id::RunId,
    state::{CheckEvaluation, PartitionRef},
};

/// A change's position in the order of all changes of a store. Greater is later; the numbers have
/// gaps.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Sequence(pub u64);

/// The start of a run's attempt at an (asset, partition).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptStart {
    /// The partition it tries to materialize.
    pub target: PartitionRef,
    /// The run.
    pub run: RunId,
    /// The attempt in that run, from 1.
    pub attempt: u32,
    /// The time at which it began.
    pub at: DateTime<Utc>,
}

/// The upstream partitions that an input was loaded from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InputScope {
    /// An unpartitioned asset.
    Whole,
    /// One partition.
    Partition(PartitionKey),
    /// The number of partitions; the version recorded with it covers all of them.
    Partitions(u64),
}

/// The version of an upstream input of a materialization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputVersion {
    /// The upstream asset.
    pub asset: AssetKey,
    /// The upstream partitions.
    pub scope: InputScope,
    /// The data version of those partitions.
    pub data_version: String,
}

/// One materialized (asset, partition), ready to be committed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Materialization {
    /// The materialized partition.
    pub target: PartitionRef,
    /// The run that materialized it.
    pub run: RunId,
    /// The attempt in that run, from 1.
    pub attempt: u32,
    /// The IO manager's pointer to the data; `None` when the function stored it itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// Metadata about the data.
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
    /// The version of the data.
    pub data_version: String,
    /// The version of the code that produced it, if the asset declares one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_version: Option<String>,
    /// The inputs it was computed from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<InputVersion>,
    /// The evaluations of the op's own checks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<CheckEvaluation>,
    /// The start of the attempt.
    pub started_at: DateTime<Utc>,
    /// The time at which the data was complete.
    pub finished_at: DateTime<Utc>,
}

/// The outcome of committing a materialization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommitOutcome {
    /// Readers see this materialization now. An attempt that commits again replaces its own earlier
    /// commit.
    Committed,
    /// A later attempt of the same run is already published; readers see that one.
    AlreadyDone {
        /// The published attempt.
        attempt: u32,
    },
    /// A newer run has published this partition; readers see that one.
    Superseded {
        /// The newer run.
        by: RunId,
    },
}

/// An attempt that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedAttempt {
    /// The partition it tried to materialize.
    pub target: PartitionRef,
    /// The run.
    pub run: RunId,
    /// The attempt in that run, from 1.
    pub attempt: u32,
    /// The kind of the error, which decides about a retry.
    pub kind: ErrorKind,
    /// The error message.
    pub message: String,
    /// The underlying errors, nearest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<String>,
    /// `true` if the run tries again. Only a failure that is not retried makes the partition count as
    /// failed.
    #[serde(default)]
    pub will_retry: bool,
    /// The time of the failure.
    pub at: DateTime<Utc>,
}

/// An attempt that had nothing to make: the op returned `None` for the partition. Nothing failed, and
/// what was published before stays published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedAttempt {
    /// The partition that there was nothing to make for.
    pub target: PartitionRef,
    /// The run.
    pub run: RunId,
    /// The attempt in that run, from 1.
    pub attempt: u32,
    /// The time of the skip.
    pub at: DateTime<Utc>,
}

/// An attempt that ended without publishing its partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnpublishedAttempt {
    /// It failed.
    Failed(FailedAttempt),
    /// It had nothing to make.
    Skipped(SkippedAttempt),
}

impl UnpublishedAttempt {
    /// Returns the partition.
    pub fn target(&self) -> &PartitionRef {
        match self {
            Self::Failed(failure) => &failure.target,
            Self::Skipped(skip) => &skip.target,
        }
    }

    /// Returns the run and the attempt.
    pub fn version(&self) -> (RunId, u32) {
        match self {
            Self::Failed(failure) => (failure.run, failure.attempt),
            Self::Skipped(skip) => (skip.run, skip.attempt),
        }
    }

    /// Returns `true` if the run tries again.
    pub fn will_retry(&self) -> bool {
        matches!(self, Self::Failed(failure) if failure.will_retry)
    }

    /// Returns the event that is logged.
    pub fn to_event(&self) -> Event {
        match self {
            Self::Failed(failure) => Event::Failed(failure.clone()),
            Self::Skipped(skip) => Event::Skipped(skip.clone()),
        }
    }
}

impl From<FailedAttempt> for UnpublishedAttempt {
    fn from(failure: FailedAttempt) -> Self {
        Self::Failed(failure)
    }
}

impl From<SkippedAttempt> for UnpublishedAttempt {
    fn from(skip: SkippedAttempt) -> Self {
        Self::Skipped(skip)
    }
}

/// The outcome of recording an attempt that published nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureOutcome {
    /// The attempt is recorded.
    Recorded,
    /// The same run has already published the partition, so the attempt is ignored.
    AlreadyDone {
        /// The published attempt.
        attempt: u32,
    },
}

/// The latest materialization of one (asset, partition), and the newest attempt if it published
/// nothing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Latest {
    /// The published materialization, and its position in the order of changes.
    pub materialization: Option<(Materialization, Sequence)>,
    /// The failure of the newest attempt, if nothing newer was published.
    pub failure: Option<FailedAttempt>,
    /// The skip of the newest attempt, if nothing newer was published. There is never both a failure
    /// and a skip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skip: Option<SkippedAttempt>,
}

impl Latest {
    /// Returns `true` if this run has published the partition, so that nothing is left to do for
    /// it.
    pub fn is_published_by(&self, run: RunId) -> bool {
        self.materialization
            .as_ref()
            .is_some_and(|(made, _)| made.run == run)
    }

    /// Adds the newest attempt, which published nothing.
    #[must_use]
    pub fn with_unpublished(mut self, attempt: Option<UnpublishedAttempt>) -> Self {
        (self.failure, self.skip) = match attempt {
            None => (None, None),
            Some(UnpublishedAttempt::Failed(failure)) => (Some(failure), None),
            Some(UnpublishedAttempt::Skipped(skip)) => (None, Some(skip)),
        };
        self
    }

    /// Returns `true` if nothing is known of the partition.
    pub fn is_empty(&self) -> bool {
        self.materialization.is_none() && self.failure.is_none() && self.skip.is_none()
    }

    /// Returns `true` if the newest attempt of this run had nothing to make, so that nothing is left
    /// to do for the partition.
    pub fn is_skipped_by(&self, run: RunId) -> bool {
        self.skip.as_ref().is_some_and(|skip| skip.run == run)
    }

    /// Returns the published materialization.
    pub fn published(&self) -> Option<&Materialization> {
        self.materialization.as_ref().map(|(made, _)| made)
    }
}

/// The status sets of an asset's partitions, by ordinal. They overlap: a partition that failed or was
/// skipped after it was materialized is in both sets.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PartitionStatuses {
    /// Partitions published by any run.
    pub materialized: PartitionSet,
    /// Partitions whose newest attempt failed, with nothing newer published.
    pub failed: PartitionSet,
    /// Partitions whose newest attempt had nothing to make, with nothing newer published.
    #[serde(default)]
    pub skipped: PartitionSet,
    /// Partitions with an attempt under way in an unfinished run.
    pub in_progress: PartitionSet,
}

/// The partitions of one asset that were published after a change.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Updates {
    /// The partitions, by ordinal.
    pub partitions: PartitionSet,
    /// The greatest sequence number among them, to continue from; the number given by the caller
    /// when nothing was published.
    pub until: Sequence,
}

/// An event in the history of one (asset, partition).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// An attempt started.
    Started(AttemptStart),
    /// A materialization was published.
    Materialized(Box<Materialization>),
    /// An attempt failed.
    Failed(FailedAttempt),
    /// A check was evaluated.
    Checked(Box<CheckEvaluation>),
    /// An attempt had nothing to make.
    Skipped(SkippedAttempt),
}

/// The kind of an [`Event`]. The order of the variants sorts events of one attempt at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// [`Event::Started`].
    Started,
    /// [`Event::Checked`].
    Checked,
    /// [`Event::Failed`].
    Failed,
    /// [`Event::Materialized`].
    Materialized,
    /// [`Event::Skipped`].
    Skipped,
}

/// The identity of an event of one partition, which also orders events. An event recorded again
/// replaces itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EventKey {
    /// The time of the event.
    pub at: DateTime<Utc>,
    /// The run of the event.
    pub run: RunId,
    /// The attempt in that run.
    pub attempt: u32,
    /// The kind of the event.
    pub kind: EventKind,
    /// The check's name for a check's evaluation; otherwise empty.
    pub check: String,
}

impl Event {
    /// Returns the event's identity, by which events are sorted.
    pub fn key(&self) -> EventKey {
        let (at, run, attempt, kind, check) = match self {
            Self::Started(start) => (start.at, start.run, start.attempt, EventKind::Started, ""),
            Self::Materialized(made) => (
                made.finished_at,
                made.run,
                made.attempt,
                EventKind::Materialized,
                "",
            ),
            Self::Failed(failure) => (
                failure.at,
                failure.run,
                failure.attempt,
                EventKind::Failed,
                "",
            ),
            Self::Skipped(skip) => (skip.at, skip.run, skip.attempt, EventKind::Skipped, ""),
            Self::Checked(found) => {
                let name = found.check.name.as_str();
                (found.at, found.run, found.attempt, EventKind::Checked, name)
            }
        };
        EventKey {
            at,
            run,
            attempt,
            kind,
            check: check.to_owned(),
        }
    }

    /// Returns the partition of the event.
    pub fn target(&self) -> &PartitionRef {
        match self {
            Self::Started(start) => &start.target,
            Self::Materialized(made) => &made.target,
            Self::Failed(failure) => &failure.target,
            Self::Checked(found) => &found.target,
            Self::Skipped(skip) => &skip.target,
        }
    }
}
