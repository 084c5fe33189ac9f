//! Records of asset checks.

use chrono::{DateTime, Utc};
use precip_core::{key::CheckKey, metadata::Metadata, spec::Severity};
use serde::{Deserialize, Serialize};

use crate::{run_id::RunId, state::PartitionRef};

/// How the evaluation of a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckOutcome {
    /// The asset is as it should be.
    Passed,
    /// It is not.
    Failed,
    /// The check itself could not be evaluated.
    Errored,
}

/// What one evaluation of a check found. As Dagster's `AssetCheckEvaluation`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckEvaluation {
    /// The check.
    pub check: CheckKey,
    /// What it looked at: a partition of the check's asset.
    pub target: PartitionRef,
    /// The run in which it was evaluated.
    pub run: RunId,
    /// The attempt in that run, from 1.
    pub attempt: u32,
    /// How it ended.
    pub outcome: CheckOutcome,
    /// What it means if it did not pass.
    #[serde(default)]
    pub severity: Severity,
    /// Whether it stops what is downstream.
    #[serde(default)]
    pub blocking: bool,
    /// What was found, for a reader.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Facts found on the way.
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
    /// When.
    pub at: DateTime<Utc>,
}

impl CheckEvaluation {
    /// Whether what is downstream of the asset must not be made from it in this run.
    pub fn blocks(&self) -> bool {
        self.blocking && self.outcome != CheckOutcome::Passed && self.severity == Severity::Error
    }

    /// Whether it is a failure of its run: it [blocks](Self::blocks), or its function failed and there
    /// is no answer. A check that finds something wrong and does not block is none.
    pub fn fails_run(&self) -> bool {
        self.blocks() || self.outcome == CheckOutcome::Errored
    }
}
