//! Testing assets: running some of them for real, in memory.
//!
//! A function is tested by calling it. What functions do together (which partitions are loaded, in
//! which order assets are made, what a failure holds back) is tested by [`materialize`]: it plans and
//! executes as the command line does, with the state and the data in memory.

mod error;
mod materialize;
mod materialized;

pub use error::TestError;
pub use materialize::{Materialize, materialize};
pub use materialized::Materialized;
