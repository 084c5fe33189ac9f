//! Lambda: the account's concurrency, scaling, throttles, timeouts and faults.
//!
//! [`Lambda`] runs [`Handler`]s in virtual time. It implements [`Functions`](crate::task::Functions),
//! so that a machine calls them, and returns errors as Step Functions sees them.

mod admission;
mod faults;
mod function;
mod limits;
mod service;
mod stats;

pub use admission::Throttle;
pub use faults::Faults;
pub use function::{FunctionConfig, Handler, Invocation};
pub use limits::Limits;
pub use service::{InvokeError, Lambda, ReservationError};
pub use stats::Stats;

#[cfg(test)]
mod tests;
