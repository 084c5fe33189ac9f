//! Partition mappings: which upstream partitions a downstream partition is made from.
//!
//! A [`PartitionMapping`] is answered over whole [`PartitionSet`](crate::partitions::PartitionSet)s
//! in both directions, never partition by partition, so that ten million hours become days in the
//! time that their runs take.

mod dimensions;
mod error;
mod infer;
mod keyed;
mod lattice;
mod partition_mapping;
mod validate;
mod windows;

#[cfg(test)]
mod tests;

pub use error::InvalidMapping;
pub use partition_mapping::{DimensionMapping, PartitionMapping, UpstreamPartitions};
