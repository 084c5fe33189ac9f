//! Plans: the work that a request needs, as data between the request and its execution.
//!
//! [`Plan::new`] decides *what* runs: the partitions of each asset, grouped into stages. A
//! [`Frontier`] follows a plan while it runs and decides *when* each batch can run: as soon as
//! everything upstream of it has succeeded. Both compute with partition sets and never enumerate
//! keys.

mod asset_partitions;
mod basis;
mod batch;
mod definition_change;
mod error;
mod frontier;
mod graph_stages;
mod left_out;
mod lineage;
mod node;
mod plan_data;
mod reduce;
mod request;
mod resolve;
mod selector;
mod stages;
mod target;
mod translate;
mod waiting;

pub use asset_partitions::AssetPartitions;
pub use basis::{PlanBasis, PlannedPartitions};
pub use batch::{Batch, divide_into_batches};
pub use definition_change::DefinitionChange;
pub use error::PlanError;
pub use frontier::{Frontier, Loss, LossCause, Ready, StepOutcome, Tally, Withheld};
pub(crate) use graph_stages::stages_of_graph;
pub use left_out::{InclusionReason, LeftOut, LeftOutReason, MissingUpstream};
pub use lineage::{AbsentUpstream, Lineage};
pub use plan_data::{Plan, Stage, Step, StepId};
pub use request::{AssetStatuses, CheckSelection, PlanRequest};
pub use selector::{
    InvalidPartitionSelector, KeySpan, PartitionChoice, PartitionSelector, StatusFilter,
};
pub use translate::{OutdatedWork, PlannedPartition, TranslatedPlan};

#[cfg(test)]
pub(crate) mod tests;
