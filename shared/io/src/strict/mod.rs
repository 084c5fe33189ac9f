//! Serde adapters that refuse what serde and JSON would change in silence: numbers on reading, NaN on writing.

mod finite;
mod numbers;

pub(crate) use finite::check_finite;
pub(crate) use numbers::Exact;

#[cfg(test)]
mod tests;
