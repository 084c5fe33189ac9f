//! [`Frontier`]: the part of a running plan that can run next.

mod advance;
mod batching;
mod link;
mod outcome;
mod progress;
mod tally;

pub use advance::{Frontier, Ready, Withheld};
pub use outcome::{Loss, LossCause, StepOutcome};
pub use tally::Tally;
