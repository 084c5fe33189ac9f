//! Serde adapters that refuse what serde and formats would change in silence: numbers on reading, NaN and times on
//! writing.

mod numbers;
mod unchanged;

pub(crate) use numbers::Exact;
pub(crate) use unchanged::{check_finite, check_times, holds_micros};

#[cfg(test)]
mod tests;
