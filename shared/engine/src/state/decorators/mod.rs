//! Decorators of stores, for tests: they count, delay or fail the calls that pass through.
//!
//! [`Hooked`] forwards every call and invokes a [`CallHook`] before and after it. [`CountCalls`],
//! [`DelayCalls`] and [`FailCalls`] are hooks, and hooked stores nest.

mod count;
mod delay;
mod fail;
mod hooked;

#[cfg(test)]
mod tests;

pub use count::CountCalls;
pub use delay::DelayCalls;
pub use fail::{FailCalls, When};
pub use hooked::{CallHook, Hooked};
