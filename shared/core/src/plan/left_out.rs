//! Why something runs, why something does not, and what it would need.

use serde::{Deserialize, Serialize};

use crate::{key::AssetKey, partitions::PartitionSet};

/// Why an asset has the partitions that it has in a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// It is selected, and not partitioned.
    Selected,
    /// The request's keys are keys of this asset.
    Keys,
    /// The request asks for all partitions.
    All,
    /// The request asks for the last partition.
    Latest,
    /// The keys are not its own; these partitions are made from those of this upstream asset.
    MadeFrom(AssetKey),
    /// The keys are not its own; those of this downstream asset are made from these partitions.
    Makes(AssetKey),
    /// It is made together with this asset.
    Together(AssetKey),
}

/// Something that was asked for and does not run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LeftOut {
    /// The asset.
    pub asset: AssetKey,
    /// The partitions, by ordinal; ordinal 0 for an unpartitioned asset; none when no partition of
    /// the asset was found to be meant.
    pub partitions: PartitionSet,
    /// Why not.
    pub reason: LeftOutReason,
}

/// Why something that was asked for does not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeftOutReason {
    /// It is made already, and only missing partitions were asked for.
    Materialized,
    /// It did not fail, and only failed partitions were asked for.
    NotFailed,
    /// It is made outside the project.
    External,
    /// The keys are not its own, and nothing that has them is made from it or makes it.
    Unrelated,
}

impl LeftOutReason {
    /// The reason, to be read after the name of the asset.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Materialized => "already materialized",
            Self::NotFailed => "did not fail",
            Self::External => "made outside the project",
            Self::Unrelated => {
                "has no such partitions, and shares none with the assets that have them"
            }
        }
    }
}

/// Upstream partitions that something in a plan is made from, and that are neither made nor part of
/// the plan. If the asset loads them, it fails.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Needed {
    /// The asset in the plan.
    pub asset: AssetKey,
    /// What it is made from.
    pub upstream: AssetKey,
    /// The upstream partitions that are missing, by ordinal.
    pub partitions: PartitionSet,
}
