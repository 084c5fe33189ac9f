//! Ops: the computations that make assets.

use crate::spec::{AssetSpec, BackfillPolicy, CheckSpec, ComputeProfile, RetryPolicy};

/// One computation: it makes one asset, or the several of a multi-asset.
#[derive(Debug, Clone, PartialEq)]
pub struct OpSpec {
    /// Its name, unique in the project; a single asset's op is named after the asset.
    pub name: String,
    /// What it makes. The assets of one op share their partitions definition.
    pub assets: Vec<AssetSpec>,
    /// Whether it can be asked for some of its assets only.
    pub can_subset: bool,
    /// Checks whose results the op itself returns.
    pub checks: Vec<CheckSpec>,
    /// How often it is tried again.
    pub retry: Option<RetryPolicy>,
    /// How many of its partitions a run of a backfill takes.
    pub backfill: BackfillPolicy,
    /// The pool whose slots limit how many run at once.
    pub pool: Option<String>,
    /// The machine it needs.
    pub compute: ComputeProfile,
}
