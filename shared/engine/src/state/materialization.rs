//! Records of what was made, and of what could not be made.

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

/// The place of a change in the order of all changes of a store. Greater is later; the numbers have
/// gaps.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Sequence(pub u64);

/// Some attempt of some run at an (asset, partition) begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptStart {
    /// What it tries to make.
    pub target: PartitionRef,
    /// The run.
    pub run: RunId,
    /// The attempt in that run, from 1.
    pub attempt: u32,
    /// When it began.
    pub at: DateTime<Utc>,
}

/// Which upstream partitions an input was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InputScope {
    /// An unpartitioned asset.
    Whole,
    /// One partition.
    Partition(PartitionKey),
    /// This many partitions; the version recorded with it stands for all of them together.
    Partitions(u64),
}

/// An upstream version that something was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputVersion {
    /// The upstream asset.
    pub asset: AssetKey,
    /// Which of its partitions.
    pub scope: InputScope,
    /// Their data version.
    pub data_version: String,
}

/// One (asset, partition), made: what `finish` publishes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Materialization {
    /// What was made.
    pub target: PartitionRef,
    /// The run that made it.
    pub run: RunId,
    /// The attempt in that run, from 1.
    pub attempt: u32,
    /// Where the IO manager put the data; `None` when the function stored it itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// Facts about the data.
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
    /// The version of the data.
    pub data_version: String,
    /// The version of the code that made it, where the asset declares one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_version: Option<String>,
    /// What it was made from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<InputVersion>,
    /// What the op's own checks found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<CheckEvaluation>,
    /// When the attempt began.
    pub started_at: DateTime<Utc>,
    /// When the data was complete.
    pub finished_at: DateTime<Utc>,
}

/// The answer to `finish`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finished {
    /// What this attempt made is what readers see now. The same attempt finished again is committed
    /// again, and the last call counts.
    Committed,
    /// A later attempt of the same run was published before; readers see that one.
    AlreadyDone {
        /// The attempt that was published.
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
pub struct Failure {
    /// What it tried to make.
    pub target: PartitionRef,
    /// The run.
    pub run: RunId,
    /// The attempt in that run, from 1.
    pub attempt: u32,
    /// What it means for a retry.
    pub kind: ErrorKind,
    /// What went wrong.
    pub message: String,
    /// What led to it, nearest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<String>,
    /// Whether the run tries again. Only a failure that it does not retry makes the partition count
    /// as failed.
    #[serde(default)]
    pub will_retry: bool,
    /// When it failed.
    pub at: DateTime<Utc>,
}

/// The answer to `fail`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureRecorded {
    /// It is on record.
    Recorded,
    /// The same run published the partition already: it did not fail after all, and the failure was
    /// left out.
    AlreadyDone {
        /// The attempt that was published.
        attempt: u32,
    },
}

/// What is known of one (asset, partition) now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Latest {
    /// What readers see, and its place in the order of changes.
    pub materialization: Option<(Materialization, Sequence)>,
    /// The newest attempt's failure, when nothing newer was published.
    pub failure: Option<Failure>,
}

impl Latest {
    /// Whether this run has published the partition, so that nothing is left to do for it.
    pub fn is_done_by(&self, run: RunId) -> bool {
        self.materialization
            .as_ref()
            .is_some_and(|(made, _)| made.run == run)
    }

    /// What readers see.
    pub fn published(&self) -> Option<&Materialization> {
        self.materialization.as_ref().map(|(made, _)| made)
    }
}

/// What is known of an asset's partitions, by ordinal. The sets overlap: a partition that was made
/// once and failed since is in both.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PartitionStatuses {
    /// Published, by whatever run.
    pub materialized: PartitionSet,
    /// The newest attempt failed, and nothing newer was published.
    pub failed: PartitionSet,
    /// A run that is not finished has begun it and not come to its end.
    pub in_progress: PartitionSet,
}

/// Partitions of one asset published after some moment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Updates {
    /// The partitions, by ordinal.
    pub partitions: PartitionSet,
    /// The greatest number among them: ask from here the next time. The number that was asked from
    /// when there are none.
    pub until: Sequence,
}

/// Something that happened to one (asset, partition).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// An attempt began.
    Started(AttemptStart),
    /// It was published.
    Materialized(Box<Materialization>),
    /// An attempt failed.
    Failed(Failure),
    /// A check looked at it.
    Checked(Box<CheckEvaluation>),
}

/// The kind of an [`Event`], in the order in which events of one attempt at one moment stand.
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
}

/// What makes two events of one partition the same event, and puts them in order: the same event
/// recorded again replaces itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EventKey {
    /// When it happened.
    pub at: DateTime<Utc>,
    /// The run in which it happened.
    pub run: RunId,
    /// The attempt in that run.
    pub attempt: u32,
    /// Its kind.
    pub kind: EventKind,
    /// The check's name, of a check's evaluation; otherwise empty.
    pub check: String,
}

impl Event {
    /// The event's identity and place.
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

    /// What it happened to.
    pub fn target(&self) -> &PartitionRef {
        match self {
            Self::Started(start) => &start.target,
            Self::Materialized(made) => &made.target,
            Self::Failed(failure) => &failure.target,
            Self::Checked(found) => &found.target,
        }
    }
}
