//! [`Node`]: a condition compiled for a graph.

use std::sync::Arc;

use chrono::TimeDelta;

use super::{RunTags, cursor::NodeId};
use crate::{
    graph::{AssetId, CheckId},
    mapping::PartitionMapping,
};

/// The asset or check that a condition is evaluated for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// An asset.
    Asset(AssetId),
    /// A check, and the checked asset, whose partitions are those of the check.
    Check(CheckId, AssetId),
}

impl Target {
    /// Returns the asset whose partitions are evaluated.
    pub(super) fn asset(self) -> AssetId {
        match self {
            Self::Asset(asset) | Self::Check(_, asset) => asset,
        }
    }
}

/// One node of a condition, compiled for one target.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) id: NodeId,
    pub(super) target: Target,
    pub(super) label: Option<Arc<str>>,
    pub(super) name: Arc<str>,
    pub(super) kind: Kind,
}

/// The compiled form of [`ConditionKind`](super::ConditionKind).
#[derive(Debug)]
pub(super) enum Kind {
    Missing,
    RunInProgress,
    BackfillInProgress,
    ExecutionFailed,
    /// With `true` if the root asset can join the run.
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
    /// With the index of the schedule in [`Conditions`](super::Conditions).
    CronTickPassed(usize),
    InLatestTimeWindow(Option<TimeDelta>),
    CheckPassed,
    CheckFailed,
    /// The operand is evaluated for another target.
    Matches(Correspondence, Box<Node>),
    /// Any of the dependencies (`true`) or checks (`false`).
    AnyOf(bool, Vec<Node>),
    /// All of the dependencies or checks.
    AllOf(Vec<Node>),
    /// Any of the conditions of downstream assets.
    Downstream(Vec<Node>),
    /// A condition of downstream assets, evaluated for this one.
    DownstreamOf(Box<Node>),
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    Since(Box<Node>, Box<Node>),
    NewlyTrue(Box<Node>),
}

/// The correspondence between partitions of one target and those of another.
#[derive(Debug)]
pub(super) enum Correspondence {
    /// The ordinals are the same.
    Same,
    /// The other is upstream.
    Up(PartitionMapping),
    /// The other is downstream.
    Down(PartitionMapping),
}
