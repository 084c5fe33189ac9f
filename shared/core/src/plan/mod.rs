//! What has to run for a request, as data: the one form between asking and running.
//!
//! [`Plan::new`] decides *what* runs: which partitions of which assets, grouped into stages. A
//! [`Schedule`] follows a plan under way and answers *when* each batch can run: once everything it is
//! made from is there. Both only compute with partition sets; neither ever lists a million keys.

mod asset_partitions;
mod batch;
mod error;
mod left_out;
mod lineage;
mod node;
mod plan_data;
mod reduce;
mod request;
mod resolve;
mod schedule;
mod selector;
mod stages;
mod target;
mod whole;

pub use asset_partitions::AssetPartitions;
pub use batch::{Batch, batches};
pub use error::PlanError;
pub use left_out::{LeftOut, LeftOutReason, Needed, Why};
pub use lineage::Lineage;
pub use plan_data::{Plan, Stage, Step, StepId};
pub use request::{CheckSelection, PlanRequest, Record};
pub use schedule::{Held, Ready, Schedule, Tally};
pub use selector::{InvalidPartitionSelector, KeySpan, Only, PartitionSelector, Which};
pub(crate) use whole::whole;

#[cfg(test)]
pub(crate) mod tests;
