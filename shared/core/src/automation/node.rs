//! Conditions made ready to be evaluated on a graph: [`Node`].

use std::sync::Arc;

use chrono::TimeDelta;

use super::{RunTags, cursor::NodeId};
use crate::{
    graph::{AssetId, CheckId},
    mapping::PartitionMapping,
};

/// Of what a condition is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Asset(AssetId),
    /// A check, and the asset it looks at: its partitions are the check's.
    Check(CheckId, AssetId),
}

impl Target {
    /// The asset whose partitions are asked about.
    pub(super) fn asset(self) -> AssetId {
        match self {
            Self::Asset(asset) | Self::Check(_, asset) => asset,
        }
    }
}

/// One node of a condition, asked of one target.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) id: NodeId,
    pub(super) target: Target,
    pub(super) label: Option<Arc<str>>,
    pub(super) name: Arc<str>,
    pub(super) kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    Missing,
    RunInProgress,
    BackfillInProgress,
    ExecutionFailed,
    /// Whether the root asset can join the run.
    WillBeRequested(bool),
    NewlyRequested,
    NewlyUpdated,
    DataVersionChanged,
    CodeVersionChanged,
    InitialEvaluation,
    ExecutedWithRootTarget,
    ExecutedWithTags(RunTags),
    AnyNewUpdateHasRunTags(RunTags),
    AllNewUpdatesHaveRunTags(RunTags),
    /// The place of the schedule.
    CronTickPassed(usize),
    InLatestTimeWindow(Option<TimeDelta>),
    CheckPassed,
    CheckFailed,
    /// The child is asked of another target.
    Matches(Way, Box<Node>),
    /// Some of the dependencies (true) or checks (false).
    AnyOf(bool, Vec<Node>),
    AllOf(Vec<Node>),
    Downstream(Vec<Node>),
    /// The condition of assets downstream, asked of this one.
    DownstreamOf(Box<Node>),
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    Since(Box<Node>, Box<Node>),
    NewlyTrue(Box<Node>),
}

/// How partitions of one target correspond to those of another.
#[derive(Debug)]
pub(super) enum Way {
    /// Ordinal by ordinal.
    Same,
    /// The other is upstream.
    Up(PartitionMapping),
    /// The other is downstream.
    Down(PartitionMapping),
}
