//! [`ChangeSet`].

use std::collections::BTreeSet;

use precip_core::key::AssetKey;

use crate::run_id::RunId;

/// The changes of a batch of state store records, or a tick.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChangeSet {
    /// Assets with newly published partitions.
    pub published: BTreeSet<AssetKey>,
    /// Assets with another change: a failed attempt, a check result, or a removed materialization.
    pub changed: BTreeSet<AssetKey>,
    /// Runs that have ended.
    pub ended: BTreeSet<RunId>,
    /// Dynamic partition sets whose keys have changed.
    pub dynamic_sets: BTreeSet<String>,
    /// True if this is a tick: evaluations that depend on the time, and retries, are due.
    pub tick: bool,
    /// True if runs that wait for upstream windows were recorded or removed.
    pub waiting: bool,
}

impl ChangeSet {
    /// Returns the change set of a tick.
    pub fn on_tick() -> Self {
        Self {
            tick: true,
            ..Self::default()
        }
    }
}
