//! Ops: the computations that make assets and look at them.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::spec::{AssetSpec, BackfillPolicy, CheckSpec, ComputeProfile, RetryPolicy};

/// One computation: it makes one asset, the several of a multi-asset, or none and only checks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OpSpec {
    /// Its name, unique in the project. [`OpSpec::single`] and [`OpSpec::check`] name it after what
    /// it makes.
    pub name: String,
    /// What it makes. The assets of one op share their partitions definition. Empty for an op that
    /// only checks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assets: Vec<AssetSpec>,
    /// Whether it can be asked for some of its assets only.
    #[serde(default)]
    pub can_subset: bool,
    /// The checks whose results it returns: on its own assets if it makes any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<CheckSpec>,
    /// How often it is tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<RetryPolicy>,
    /// How many of its partitions a run of a backfill takes.
    #[serde(default)]
    pub backfill: BackfillPolicy,
    /// The pool whose slots limit how many run at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<String>,
    /// The machine it needs.
    #[serde(default)]
    pub compute: ComputeProfile,
    /// The names of the resources it uses, which the environment has to provide.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub required_resources: BTreeSet<String>,
    /// The JSON schema of the configuration it takes; it takes none when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_schema: Option<serde_json::Value>,
}

impl OpSpec {
    /// An op that makes several assets, with nothing else said about it.
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

    /// The op that makes one asset: it has the asset's key as its name.
    pub fn single(asset: AssetSpec) -> Self {
        Self::new(asset.key.as_str().to_owned(), vec![asset])
    }

    /// The op that is one check, apart from the op that makes the asset: named `asset:check`.
    pub fn check(check: CheckSpec) -> Self {
        Self {
            checks: vec![check.clone()],
            ..Self::new(check.key.to_string(), Vec::new())
        }
    }
}
