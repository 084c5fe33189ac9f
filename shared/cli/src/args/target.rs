//! What a command is about: assets and their partitions.

use clap::Args;

/// Assets and partitions.
#[derive(Debug, Clone, Args)]
pub struct TargetArgs {
    /// Which assets, in Dagster's selection syntax: `delays`, `+delays`, `group:marts`, `key:raw/*`,
    /// `tag:tier=1 and not owner:team:x`, `roots(*)`
    #[arg(short, long, value_name = "SELECTION", default_value = "*")]
    pub select: String,

    /// The partitions.
    #[command(flatten)]
    pub partitions: PartitionArgs,
}

/// Partitions, named in one of two ways.
#[derive(Debug, Clone, Args)]
pub struct PartitionArgs {
    /// Which partitions: a key, `A...B` (both included), a list `A,B`, `all`, `missing` or `failed`
    #[arg(
        short,
        long,
        value_name = "PARTITIONS",
        visible_alias = "partition",
        conflicts_with_all = ["partition_range_start", "partition_range_end"]
    )]
    pub partitions: Option<String>,

    /// The first partition of a range
    #[arg(long, value_name = "KEY", requires = "partition_range_end")]
    pub partition_range_start: Option<String>,

    /// The last partition of a range
    #[arg(long, value_name = "KEY", requires = "partition_range_start")]
    pub partition_range_end: Option<String>,
}

impl PartitionArgs {
    /// The partitions as one text in the language of `--partitions`; `None` when none were named.
    pub fn text(&self) -> Option<String> {
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
