//! The test suite for IO managers.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! use precip_io::{MemoryIoManager, conformance};
//!
//! conformance::check_all(MemoryIoManager::new, &[]).await;
//! # }
//! ```
//!
//! What a manager or its format cannot do is declared as a [`Limit`]; the suite checks that it is one.
//! [`killed_writer`] and [`big_partition`] are for managers whose data outlives the process. [`testing`] has helpers
//! for a manager's own tests.

mod attempts;
mod big;
mod case;
mod concurrency;
mod killed;
mod metrics;
mod rows;
mod streams;
mod support;
pub mod testing;
mod types;

pub use big::{big_partition, in_little_memory};
pub use case::{Case, Limit, check_all, check_case};
pub use killed::killed_writer;
