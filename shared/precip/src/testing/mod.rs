//! Tests of assets: real runs in memory.
//!
//! To test a function, call it. To test how functions work together (which partitions are loaded,
//! in which order assets are made, what a failure holds back), use [`materialize`]: it plans and
//! executes as the command line does, with state and data in memory.

mod error;
mod materialize;
mod materialized;

pub use error::TestError;
pub use materialize::{Materialize, materialize};
pub use materialized::Materialized;
