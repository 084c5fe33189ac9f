//! What the planner answers to the machines.

use std::collections::BTreeMap;

use precip_core::machine::{Item, StepName};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::run_id::RunId;

/// How a run's items are handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// There is nothing to do.
    Nothing,
    /// In the document itself: the execution that was started runs them, and shows each.
    Inline,
    /// In manifests in the bucket, one child execution a row.
    Distributed,
}

impl Mode {
    /// The most bytes of items in one document: the input of a state holds 262,144.
    pub const MOST_INLINE_BYTES: usize = 200_000;
}

/// What is to be done next in a run: a wave, or one stage of a loop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WaveDocument {
    /// The run.
    pub run: RunId,
    /// How its items are handed out.
    pub mode: Mode,
    /// The wave. One that there is not means that all is done.
    pub wave: u32,
    /// Which redrive of the execution the plan was made for. Plan 0 is the run's first, and the nth
    /// is what was left at the nth redrive.
    pub redrive: u32,
    /// How many rows of a manifest are worked on at once.
    pub max_concurrency: u32,
    /// What the stages of the wave have to do, by name; those that have nothing to do are not here.
    #[serde(default)]
    pub stages: BTreeMap<StepName, StageDocument>,
    /// Of a loop: the stage to do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<LoopStage>,
    /// What a person is to know, such as why there is nothing to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// What one stage has to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StageDocument {
    /// The items, inline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<Vec<Item>>,
    /// The manifest's key in the bucket: JSON Lines, a [`Row`](precip_core::machine::Row) a line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// What one stage of a loop has to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoopStage {
    /// The stage.
    pub name: StepName,
    /// Whether its items wait for each other.
    pub in_order: bool,
    /// The items, inline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<Vec<LoopItem>>,
    /// The manifest's key in the bucket: JSON Lines, `{"items": [..]}` a line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// An item with the list of its steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoopItem {
    /// The item.
    pub item: Item,
    /// Its steps.
    pub todo: Vec<LoopStep>,
}

/// A step, and which of the machine's states runs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoopStep {
    /// The step.
    pub name: StepName,
    /// [`step_kind`](precip_core::machine::step_kind) of its op.
    pub kind: String,
}

/// One row of a manifest, handed out by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RowDocument {
    /// The number of the row to ask for next.
    pub row: usize,
    /// The row; none after the last.
    pub rows: Vec<Value>,
}

/// What is left of an item when a step of it failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ItemDocument {
    /// The run.
    pub run: RunId,
    /// Which redrive the plan was made for.
    pub redrive: u32,
    /// The item without the step that failed and those that depend on it.
    pub item: Item,
}

/// The answer to [`Finish`](crate::machine::PlannerRequest::Finish) of a run that is not at its end
/// with a failure: that is an error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finished {
    /// Whether there is work left, after a redrive.
    pub again: bool,
    /// The first work of what is left.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub document: Option<WaveDocument>,
}
