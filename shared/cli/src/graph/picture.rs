//! [`Picture`]: what is drawn, before it is drawn.

use std::collections::BTreeSet;

/// An asset graph with what is known of its partitions, ready to be drawn.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Picture {
    /// The assets.
    pub nodes: Vec<PictureNode>,
    /// Upstream and downstream, as places in [`Self::nodes`].
    pub edges: Vec<(usize, usize)>,
}

/// One asset of a [`Picture`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PictureNode {
    /// The asset's key.
    pub key: String,
    /// Its group.
    pub group: String,
    /// How it is partitioned, in a few words: `daily`, `date × origin`. Empty when it is not.
    pub partitions: String,
    /// What it is made with or stored in.
    pub kinds: Vec<String>,
    /// How much of it there is; absent when no record was looked at.
    pub tally: Option<Tally>,
}

/// How many partitions of an asset are in which state. An unpartitioned asset counts as one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Made, by the record.
    pub materialized: u64,
    /// Tried last without success.
    pub failed: u64,
    /// All there are.
    pub total: u64,
}

impl Tally {
    /// `part` of the whole, as a length out of `width`. Anything at all is at least 2 long, so that
    /// one failure among thousands is seen.
    pub(super) fn share(self, part: u64, width: f64) -> f64 {
        if part == 0 || self.total == 0 {
            return 0.0;
        }
        #[expect(clippy::cast_precision_loss, reason = "a length on the screen")]
        let share = part as f64 / self.total as f64;
        (share * width).clamp(2.0, width)
    }
}

impl Picture {
    /// The groups, sorted.
    pub(super) fn groups(&self) -> Vec<&str> {
        let groups: BTreeSet<&str> = self.nodes.iter().map(|node| node.group.as_str()).collect();
        groups.into_iter().collect()
    }
}
