//! What a run costs on AWS: [`estimate`] counts what a [`Workload`] uses and multiplies it by the list
//! prices of one dated table ([`Prices`]).
//!
//! An estimate is as good as what it assumes: each assumption is a constant with a name, and the
//! answer says them ([`Estimate::assumptions`]).

mod estimate;
mod prices;
mod usage;
mod workload;

pub use estimate::{Estimate, Line, estimate};
pub use prices::{Prices, US_EAST_1};
pub use usage::{ITEMS_PER_CHILD, MOST_INLINE, Mode, Usage};
pub use workload::{StageLoad, StepLoad, StepTime, Workload};

#[cfg(test)]
mod tests;
