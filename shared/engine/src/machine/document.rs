//! What the planner answers to the machines.

use std::collections::BTreeMap;

use precip_core::machine::{Item, StepName};
use serde::{Deserialize, Serialize};

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
    /// The most invocations of a run that are handed out inline. An execution's history holds 25,000
    /// events, and an item takes about 13 for each invocation.
    pub const MOST_INLINE: usize = 1_000;
    /// The most bytes of items in one document: the input of a state holds 262,144.
    pub const MOST_INLINE_BYTES: usize = 200_000;
}

/// One wave of a run: what each stage of it has to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WaveDocument {
    /// The run.
    pub run: RunId,
    /// How its items are handed out.
    pub mode: Mode,
    /// The number of the plan that is followed: 0, and after the nth redrive of the execution n.
    pub plan: u32,
    /// The wave.
    pub wave: u32,
    /// How many rows of a manifest are worked on at once.
    pub max_concurrency: u32,
    /// What the stages have to do, by name; those that have nothing to do are not here.
    pub stages: BTreeMap<StepName, StageDocument>,
    /// What a person is to know, such as why there is nothing to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// What one stage has to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StageDocument {
    /// How many items there are inline, how many rows in a manifest.
    pub rows: usize,
    /// The items, inline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<Vec<Item>>,
    /// The manifest's key in the bucket: JSON Lines, a [`Row`](precip_core::machine::Row) a line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// The answer to [`Finish`](crate::machine::PlannerRequest::Finish) of a run that is not at its end
/// with a failure: that is an error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Finished {
    /// A redriven run has work left: its first wave.
    Again {
        /// Always `true`.
        again: bool,
        /// The first wave of what is left.
        #[serde(flatten)]
        wave: WaveDocument,
    },
    /// Everything was made.
    Done {
        /// Always `false`.
        again: bool,
        /// The run.
        run: RunId,
        /// How many (asset, partition) pairs it made.
        materialized: u64,
    },
}
