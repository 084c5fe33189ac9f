//! Records of asset checks.

use chrono::{DateTime, Utc};
use precip_core::{key::CheckKey, metadata::Metadata, spec::Severity};
use serde::{Deserialize, Serialize};

use crate::{run_id::RunId, state::PartitionRef};

/// The outcome of a check's evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckOutcome {
    /// The check holds.
    Passed,
    /// The check does not hold.
    Failed,
    /// The check itself could not be evaluated.
    Errored,
}

/// One evaluation of a check, like Dagster's `AssetCheckEvaluation`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckEvaluation {
    /// The check.
    pub check: CheckKey,
    /// The evaluated partition of the check's asset.
    pub target: PartitionRef,
    /// The run that evaluated it.
    pub run: RunId,
    /// The attempt in that run, from 1.
    pub attempt: u32,
    /// The outcome.
    pub outcome: CheckOutcome,
    /// The severity of a check that did not pass.
    #[serde(default)]
    pub severity: Severity,
    /// `true` if a failure stops downstream assets.
    #[serde(default)]
    pub blocking: bool,
    /// Text for people about the finding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Metadata collected by the check.
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
    /// The time of the evaluation.
    pub at: DateTime<Utc>,
}

impl CheckEvaluation {
    /// Returns `true` if downstream assets must not be materialized from the asset in this run.
    pub fn blocks_downstream(&self) -> bool {
        self.blocking && self.outcome != CheckOutcome::Passed && self.severity == Severity::Error
    }

    /// Returns `true` if the evaluation fails its run: it [blocks](Self::blocks), or the check's
    /// function failed. A failed check that does not block leaves its run successful.
    pub fn fails_run(&self) -> bool {
        self.blocks_downstream() || self.outcome == CheckOutcome::Errored
    }
}
