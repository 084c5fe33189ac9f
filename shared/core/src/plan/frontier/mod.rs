//! [`Frontier`]: the part of a running plan that can run next.

mod advance;
mod batching;
mod link;
mod progress;
mod tally;

pub use advance::{Frontier, HeldBack, Ready};
pub use tally::Tally;
