//! Declarations of assets.

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

/// A dependency of an asset or a check on an upstream asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DepSpec {
    /// The upstream asset.
    pub asset: AssetKey,
    /// The mapping of its partitions, inferred from the two definitions if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping: Option<PartitionMapping>,
    /// The effect of an upstream partition that is skipped. It follows from the op's parameters.
    #[serde(default, skip_serializing_if = "DepNeed::is_order")]
    pub need: DepNeed,
}

impl DepSpec {
    /// Creates a dependency with the inferred mapping, which loads no data.
    pub fn new(asset: AssetKey) -> Self {
        Self {
            asset,
            mapping: None,
            need: DepNeed::default(),
        }
    }

    /// Sets the mapping; `None` for the inferred one.
    #[must_use]
    pub fn with_mapping(self, mapping: impl Into<Option<PartitionMapping>>) -> Self {
        Self {
            mapping: mapping.into(),
            ..self
        }
    }
}

/// The effect of a skipped upstream partition: one whose op had nothing to make. The greater of two
/// needs includes the other.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum DepNeed {
    /// No data is loaded: a partition is skipped as well if *all* of its upstream partitions in the
    /// run are.
    #[default]
    Order,
    /// The data that exists is loaded: nothing is skipped.
    Optional,
    /// The data of every upstream partition is loaded: a partition is skipped as well if *any* of
    /// its upstream partitions is.
    Data,
}

impl DepNeed {
    /// Returns `true` if no data is loaded.
    pub fn is_order(&self) -> bool {
        *self == Self::Order
    }
}

/// The declaration of an asset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AssetSpec {
    /// The asset's name.
    pub key: AssetKey,
    /// The asset's group, by default `default`.
    #[serde(default)]
    pub group: GroupName,
    /// A description of its content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<TagKey, TagValue>,
    /// Its owners.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub owners: Vec<Owner>,
    /// The technologies it is made with or stored in, such as `parquet` or `duckdb`; at most ten.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub kinds: BTreeSet<Kind>,
    /// The version of the code that makes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_version: Option<String>,
    /// Its metadata.
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
    /// Its upstream assets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deps: Vec<DepSpec>,
    /// Its partitions definition; `None` is unpartitioned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitions: Option<Arc<PartitionsDefinition>>,
    /// Its freshness policy; without one, the asset has no freshness state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub freshness: Option<FreshnessPolicy>,
    /// The name of the IO manager that stores it; the environment's default if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub io_manager: Option<String>,
    /// The condition under which it is materialized automatically; never, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub automation: Option<AutomationCondition>,
}

impl AssetSpec {
    /// Creates the declaration of an asset with nothing but a name.
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
