//! [`Schedule`]: a plan under way.

mod batching;
mod follow;
mod release;
mod tally;
mod work;

pub use follow::{Held, Ready, Schedule};
pub use tally::Tally;
