//! The asset graph: the assets of a project with their upstream and downstream edges.

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
pub use error::{GraphError, InvalidGraph};
pub use id::{AssetId, CheckId, OpId};
