//! The cost of a run on AWS: [`estimate_cost`] counts the usage of a [`Workload`] and multiplies it
//! by the list prices of one dated table ([`Prices`]).
//!
//! An estimate is as good as its assumptions: each is a named constant, and the result lists them
//! ([`Estimate::assumptions`]).

mod estimate;
mod prices;
mod unit;
mod usage;
mod workload;

pub use estimate::{Estimate, Line, estimate_cost, list_bill};
pub use prices::{Prices, US_EAST_1};
pub use unit::{Amounts, Unit};
pub use usage::{ITEMS_PER_CHILD, MAX_INLINE_INVOCATIONS, Mode, Usage, to_f64};
pub use workload::{StageLoad, StepLoad, StepTime, Workload};

#[cfg(test)]
mod tests;
