//! Partition mappings: the upstream partitions that a downstream partition is made from.
//!
//! A [`PartitionMapping`] maps whole [`PartitionSet`](crate::partitions::PartitionSet)s in both
//! directions, never partition by partition: the time to map ten million hours to days depends on
//! the number of ranges in the set, not on the number of hours.

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
