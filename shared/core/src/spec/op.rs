//! Declarations of ops: the computations that make and check assets.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::spec::{AssetSpec, BackfillPolicy, CheckSpec, ComputeProfile, RetryPolicy};

/// The declaration of an op: one computation that makes one asset, the several assets of a
/// multi-asset, or none and only runs checks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OpSpec {
    /// The op's name, unique in the project. [`OpSpec::single`] and [`OpSpec::check`] name the op
    /// after its asset or check.
    pub name: String,
    /// The assets it makes, which share a partitions definition. Empty for an op that only runs
    /// checks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assets: Vec<AssetSpec>,
    /// True if it can make a subset of its assets.
    #[serde(default)]
    pub can_subset: bool,
    /// The checks whose results it returns; on its own assets, if it makes any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<CheckSpec>,
    /// Its retry policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<RetryPolicy>,
    /// The number of its partitions in one run of a backfill.
    #[serde(default)]
    pub backfill: BackfillPolicy,
    /// The pool whose slots limit concurrent executions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<String>,
    /// The compute resources it needs.
    #[serde(default)]
    pub compute: ComputeProfile,
    /// The names of the resources it uses, which the environment must provide.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub required_resources: BTreeSet<String>,
    /// The JSON Schema of its configuration; absent if it takes none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_schema: Option<serde_json::Value>,
}

impl OpSpec {
    /// Creates the declaration of an op that makes several assets.
    pub fn new(name: impl Into<String>, assets: Vec<AssetSpec>) -> Self {
        Self {
            name: name.into(),
            assets,
            can_subset: false,
            checks: Vec::new(),
            retry: None,
            backfill: BackfillPolicy::default(),
            pool: None,
            compute: ComputeProfile::default(),
            required_resources: BTreeSet::new(),
            config_schema: None,
        }
    }

    /// Creates the declaration of an op that makes one asset, named after the asset's key.
    pub fn single(asset: AssetSpec) -> Self {
        Self::new(asset.key.as_str().to_owned(), vec![asset])
    }

    /// Creates the declaration of an op that only runs one check, named `asset:check`.
    pub fn check(check: CheckSpec) -> Self {
        Self {
            checks: vec![check.clone()],
            ..Self::new(check.key.to_string(), Vec::new())
        }
    }
}
