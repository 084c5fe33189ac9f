//! [`Picture`]: a graph ready to be drawn.

use std::collections::BTreeSet;

/// An asset graph with the status of its partitions, ready to be drawn.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Picture {
    /// The assets.
    pub(crate) nodes: Vec<PictureNode>,
    /// Pairs of upstream and downstream asset, as indexes into [`Self::nodes`].
    pub(crate) edges: Vec<(usize, usize)>,
}

/// One asset of a [`Picture`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PictureNode {
    /// The asset's key.
    pub(crate) key: String,
    /// The asset's group.
    pub(crate) group: String,
    /// Label of its partitions: `daily`, `date × origin`. Empty for an unpartitioned asset.
    pub(crate) partitions: String,
    /// Technologies that it is made with or stored in.
    pub(crate) kinds: Vec<String>,
    /// Number of partitions by status; absent when no record was read.
    pub(crate) tally: Option<Tally>,
}

/// Numbers of partitions of an asset by status. An unpartitioned asset counts as one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Materialized partitions.
    pub(crate) materialized: u64,
    /// Partitions whose last attempt failed.
    pub(crate) failed: u64,
    /// Partitions that there is nothing to make for. Some may have earlier data.
    pub(crate) skipped: u64,
    /// Partitions without data that are not skipped.
    pub(crate) missing: u64,
    /// Existing partitions.
    pub(crate) total: u64,
}

impl Tally {
    /// Returns the length that represents `part` of the total in a bar of `width`. It is at least 2 when
    /// `part` is not 0, so that one failure among thousands is visible.
    pub(super) fn bar_length(self, part: u64, width: f64) -> f64 {
        if part == 0 || self.total == 0 {
            return 0.0;
        }
        #[expect(clippy::cast_precision_loss, reason = "a length on the screen")]
        let share = part as f64 / self.total as f64;
        (share * width).clamp(2.0, width)
    }
}

impl Picture {
    /// Returns the names of the groups, sorted.
    pub(super) fn group_names(&self) -> Vec<&str> {
        let groups: BTreeSet<&str> = self.nodes.iter().map(|node| node.group.as_str()).collect();
        groups.into_iter().collect()
    }
}
