//! The planner's answers to the state machines.

use std::collections::BTreeMap;

use precip_core::{
    graph::AssetGraph,
    machine::{INLINE_EVENTS, Item, Layout, StageConcurrency, StepName, Work},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::run_id::RunId;

/// The way in which a run's items are handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// No items: the run has nothing to do.
    Nothing,
    /// In the document itself: the started execution runs the items, and shows each.
    Inline,
    /// In manifests in the bucket, one child execution per row.
    Distributed,
}

impl Mode {
    /// Maximum size of the items in one document, in bytes: a state's input holds 262,144.
    pub const MOST_INLINE_BYTES: usize = 200_000;

    /// Returns the way in which some work is handed out: inline where an execution can hold it itself, in
    /// its states' inputs and its history.
    pub fn of_work(work: &Work, layout: &Layout, graph: &AssetGraph) -> Self {
        if work.inline_events(layout, graph) > INLINE_EVENTS {
            return Self::Distributed;
        }
        let items: Vec<_> = work.stages.iter().map(|stage| &stage.items).collect();
        let bytes = serde_json::to_vec(&items).map_or(usize::MAX, |items| items.len());
        if bytes <= Self::MOST_INLINE_BYTES {
            Self::Inline
        } else {
            Self::Distributed
        }
    }
}

/// The next work of a run: a wave, or one stage of a loop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WaveDocument {
    /// The run.
    pub run: RunId,
    /// The way in which its items are handed out.
    pub mode: Mode,
    /// Number of the wave. A number past the last wave means that all work is done.
    pub wave: u32,
    /// Number of the redrive that the plan was made for. Plan 0 is the run's first; plan n is the
    /// rest at the nth redrive.
    pub redrive: u32,
    /// Number of functions that the run may invoke at once.
    pub functions_at_once: u32,
    /// Number of rows that a stage runs at once, for the machine of an earlier deployment.
    pub max_concurrency: u32,
    /// The work of the wave's stages, by name; stages without work are left out.
    #[serde(default)]
    pub stages: BTreeMap<StepName, StageDocument>,
    /// In a loop: the next stage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<LoopStage>,
    /// A message for people, such as the reason why there is nothing to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// The work of one stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StageDocument {
    /// The items, if they are handed out inline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<Vec<Item>>,
    /// The manifest's key in the bucket: JSON Lines, one
    /// [`Row`](precip_core::machine::Row) per line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The number of rows and items that run at once.
    #[serde(flatten)]
    pub concurrency: StageConcurrency,
}

/// The work of one stage of a loop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoopStage {
    /// The stage.
    pub name: StepName,
    /// True if the items run one after another.
    pub in_order: bool,
    /// The items, if they are handed out inline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<Vec<LoopItem>>,
    /// The manifest's key in the bucket: JSON Lines, one `{"items": [..]}` per line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The number of rows and items that run at once.
    #[serde(flatten)]
    pub concurrency: StageConcurrency,
}

/// An item with its steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoopItem {
    /// The item.
    pub item: Item,
    /// The steps to run, in order.
    pub todo: Vec<LoopStep>,
}

/// A step, with the machine's state that runs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoopStep {
    /// The step.
    pub name: StepName,
    /// The [`step_kind`](precip_core::machine::step_kind) of its op.
    pub kind: String,
}

/// One row of a manifest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RowDocument {
    /// Number of the next row.
    pub row: usize,
    /// The row; empty after the last.
    pub rows: Vec<Value>,
}

/// The rest of an item after one of its steps failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ItemDocument {
    /// The run.
    pub run: RunId,
    /// The request's number of the redrive, for the machine of an earlier deployment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redrive: Option<u32>,
    /// The item without the failed step and the steps that depend on it.
    pub item: Item,
}

/// The answer to [`Finish`](crate::machine::PlannerRequest::Finish), unless the run failed: that is
/// an error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finished {
    /// True if there is remaining work, after a redrive.
    pub again: bool,
    /// The first of the remaining work.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub document: Option<WaveDocument>,
}
