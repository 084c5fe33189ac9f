//! Assets as declared.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use crate::{
    key::AssetKey, mapping::PartitionMapping, metadata::Metadata, partitions::PartitionsDefinition,
    spec::Owner,
};

/// One upstream asset of an asset or a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq)]
pub struct AssetSpec {
    /// Its name.
    pub key: AssetKey,
    /// The group it is shown in; `default` unless given.
    pub group: String,
    /// What it holds, for a reader.
    pub description: Option<String>,
    /// Free labels.
    pub tags: BTreeMap<String, String>,
    /// Who answers for it.
    pub owners: Vec<Owner>,
    /// What it is made with or stored in, such as `parquet` or `duckdb`.
    pub kinds: BTreeSet<String>,
    /// The version of the code that makes it.
    pub code_version: Option<String>,
    /// Free facts.
    pub metadata: Metadata,
    /// What it is made from.
    pub deps: Vec<DepSpec>,
    /// How it is divided; `None` is unpartitioned.
    pub partitions: Option<Arc<PartitionsDefinition>>,
    /// The name of the IO manager that stores it; the environment's default when absent.
    pub io_manager: Option<String>,
}

impl AssetSpec {
    /// An asset with nothing but a name.
    pub fn new(key: AssetKey) -> Self {
        Self {
            key,
            group: "default".to_owned(),
            description: None,
            tags: BTreeMap::new(),
            owners: Vec::new(),
            kinds: BTreeSet::new(),
            code_version: None,
            metadata: Metadata::new(),
            deps: Vec::new(),
            partitions: None,
            io_manager: None,
        }
    }
}
