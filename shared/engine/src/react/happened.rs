//! [`Happened`].

use std::collections::BTreeSet;

use precip_core::key::AssetKey;

use crate::run_id::RunId;

/// What happened: what a batch of changes of the record says, or that it is time to look.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Happened {
    /// The assets of which partitions were published.
    pub published: BTreeSet<AssetKey>,
    /// The assets of which something else became another one: an attempt failed, a check ended, what
    /// was made was wiped.
    pub changed: BTreeSet<AssetKey>,
    /// The runs that ended.
    pub ended: BTreeSet<RunId>,
    /// The sets of dynamic partitions that keys were added to or taken from.
    pub keys: BTreeSet<String>,
    /// Whether it is time for what changes with time alone, and for what is to be tried again.
    pub tick: bool,
}

impl Happened {
    /// It is time.
    pub fn tick() -> Self {
        Self {
            tick: true,
            ..Self::default()
        }
    }
}
