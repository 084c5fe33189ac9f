//! The asset graph: every asset of a project, what each is made from, and what is made from it.

mod asset_graph;
mod error;

pub use asset_graph::{AssetGraph, AssetId, Edge, OpId};
pub use error::InvalidGraph;
