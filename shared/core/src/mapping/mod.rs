//! Partition mappings: which upstream partitions a downstream partition is made from.

mod mapped;

pub use mapped::{DimensionMapping, InvalidMapping, PartitionMapping, UpstreamPartitions};
