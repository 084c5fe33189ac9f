//! Reasons why partitions are part of a plan, reasons why others are left out, and missing upstream
//! data.

use serde::{Deserialize, Serialize};

use crate::{
    key::AssetKey,
    partitions::{PartitionKey, PartitionSet},
};

/// The reason why an asset has the partitions that it has in a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InclusionReason {
    /// The asset is selected, and not partitioned.
    Selected,
    /// The request's keys are keys of this asset.
    Keys,
    /// The request asks for all partitions.
    All,
    /// The request asks for the last partition.
    Latest,
    /// The keys are those of this upstream asset; the partitions depend on them.
    MadeFrom(AssetKey),
    /// The keys are those of this downstream asset; it depends on the partitions.
    Makes(AssetKey),
    /// The op of this asset materializes both together.
    Together(AssetKey),
}

/// Requested partitions that do not run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LeftOut {
    /// The asset.
    pub asset: AssetKey,
    /// The partitions, by ordinal; ordinal 0 for an unpartitioned asset; empty when the request
    /// matches no partition of the asset.
    pub partitions: PartitionSet,
    /// The reason.
    pub reason: LeftOutReason,
}

/// The reason why a requested partition does not run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeftOutReason {
    /// It is materialized, and the request asks for missing partitions only.
    Materialized,
    /// There is nothing to make, and the request asks for missing partitions only.
    Skipped,
    /// It did not fail, and the request asks for failed partitions only.
    NotFailed,
    /// It is not skipped, and the request asks for skipped partitions only.
    NotSkipped,
    /// The asset is external.
    External,
    /// The request's keys are not keys of the asset, and no asset that has them is upstream or
    /// downstream of it.
    Unrelated,
    /// It needs an upstream window that is to come.
    UpstreamToCome {
        /// The upstream asset.
        upstream: AssetKey,
        /// The key of the first such window.
        key: PartitionKey,
    },
    /// It needs an upstream partition that is left out because it waits itself.
    UpstreamWaits {
        /// The upstream asset.
        upstream: AssetKey,
    },
}

impl LeftOutReason {
    /// Returns the reason as text that follows the name of the asset.
    pub fn describe(&self) -> String {
        match self {
            Self::Materialized => "already materialized".to_owned(),
            Self::Skipped => "skipped: there was nothing to make".to_owned(),
            Self::NotFailed => "did not fail".to_owned(),
            Self::NotSkipped => "not skipped".to_owned(),
            Self::External => "made outside the project".to_owned(),
            Self::Unrelated => {
                "has no such partitions, and shares none with the assets that have them".to_owned()
            }
            Self::UpstreamToCome { upstream, key } => {
                format!("waits for partition `{key}` of `{upstream}`, which does not exist yet")
            }
            Self::UpstreamWaits { upstream } => {
                format!("waits for partitions of `{upstream}` that wait themselves")
            }
        }
    }

    /// Returns true if the partition can be made later, once an upstream window exists.
    pub fn is_waiting(&self) -> bool {
        matches!(
            self,
            Self::UpstreamToCome { .. } | Self::UpstreamWaits { .. }
        )
    }
}

/// Upstream partitions that an asset of a plan depends on, and that are neither materialized nor
/// part of the plan. The asset fails if it loads them. (Skipped ones are not listed: what needs them is
/// skipped as well.)
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MissingUpstream {
    /// The asset in the plan.
    pub asset: AssetKey,
    /// The upstream asset.
    pub upstream: AssetKey,
    /// The missing upstream partitions, by ordinal.
    pub partitions: PartitionSet,
}
