//! Assets as declared.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    automation::AutomationCondition,
    freshness::FreshnessPolicy,
    key::AssetKey,
    mapping::PartitionMapping,
    metadata::Metadata,
    partitions::PartitionsDefinition,
    spec::{GroupName, Kind, Owner, TagKey, TagValue},
};

/// One upstream asset of an asset or a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DepSpec {
    /// The upstream asset.
    pub asset: AssetKey,
    /// Which of its partitions; inferred from the two definitions when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping: Option<PartitionMapping>,
}

impl DepSpec {
    /// Depends on an asset by the inferred mapping.
    pub fn new(asset: AssetKey) -> Self {
        Self {
            asset,
            mapping: None,
        }
    }
}

/// One asset, as declared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AssetSpec {
    /// Its name.
    pub key: AssetKey,
    /// The group it is shown in; `default` unless given.
    #[serde(default)]
    pub group: GroupName,
    /// What it holds, for a reader.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Free labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<TagKey, TagValue>,
    /// Who answers for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub owners: Vec<Owner>,
    /// What it is made with or stored in, such as `parquet` or `duckdb`; at most ten.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub kinds: BTreeSet<Kind>,
    /// The version of the code that makes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_version: Option<String>,
    /// Free facts.
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
    /// What it is made from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deps: Vec<DepSpec>,
    /// How it is divided; `None` is unpartitioned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitions: Option<Arc<PartitionsDefinition>>,
    /// When its data is fresh; `None` is always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub freshness: Option<FreshnessPolicy>,
    /// The name of the IO manager that stores it; the environment's default when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub io_manager: Option<String>,
    /// When it is made without being asked for; only when asked for if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub automation: Option<AutomationCondition>,
}

impl AssetSpec {
    /// An asset with nothing but a name.
    pub fn new(key: AssetKey) -> Self {
        Self {
            key,
            group: GroupName::default(),
            description: None,
            tags: BTreeMap::new(),
            owners: Vec::new(),
            kinds: BTreeSet::new(),
            code_version: None,
            metadata: Metadata::new(),
            deps: Vec::new(),
            partitions: None,
            freshness: None,
            io_manager: None,
            automation: None,
        }
    }
}
