//! What has to run for a request, as data: the one form between asking and running.

mod asset_partitions;
mod batch;
mod lineage;

pub use asset_partitions::AssetPartitions;
pub use batch::{Batch, batches};
pub use lineage::Lineage;
