//! The asset graph: every asset of a project, what each is made from, and what is made from it.

mod asset_graph;
mod asset_set;
mod build;
mod edges;
mod error;
mod id;
mod order;
mod traversal;

#[cfg(test)]
mod tests;

pub use asset_graph::{AssetGraph, Edge};
pub use asset_set::AssetSet;
pub use error::{GraphProblem, InvalidGraph};
pub use id::{AssetId, CheckId, OpId};
