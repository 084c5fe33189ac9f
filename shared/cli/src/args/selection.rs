//! The arguments that select assets and partitions.

use clap::Args;

/// A selection of assets and partitions.
#[derive(Debug, Clone, Args)]
pub struct SelectionArgs {
    /// Assets, in Dagster's selection syntax: `delays`, `+delays`, `group:marts`, `key:raw/*`,
    /// `tag:tier=1 and not owner:team:x`, `roots(*)`
    #[arg(short, long, value_name = "SELECTION", default_value = "*")]
    pub select: String,

    /// The partitions.
    #[command(flatten)]
    pub partitions: PartitionArgs,
}

/// A selection of partitions, written in one of two ways.
#[derive(Debug, Clone, Args)]
pub struct PartitionArgs {
    /// Partitions: a key, `A...B` (both included), a list `A,B`, `all`, `missing`, `failed` or `skipped`
    #[arg(
        short,
        long,
        value_name = "PARTITIONS",
        visible_alias = "partition",
        conflicts_with_all = ["partition_range_start", "partition_range_end"]
    )]
    pub partitions: Option<String>,

    /// First partition of a range
    #[arg(long, value_name = "KEY", requires = "partition_range_end")]
    pub partition_range_start: Option<String>,

    /// Last partition of a range
    #[arg(long, value_name = "KEY", requires = "partition_range_start")]
    pub partition_range_end: Option<String>,
}

impl PartitionArgs {
    /// Returns the partitions in the language of `--partitions`, or `None` when none are given.
    pub(crate) fn to_expression(&self) -> Option<String> {
        match (
            &self.partitions,
            &self.partition_range_start,
            &self.partition_range_end,
        ) {
            (Some(partitions), _, _) => Some(partitions.clone()),
            (None, Some(start), Some(end)) => Some(format!("{start}...{end}")),
            _ => None,
        }
    }
}
