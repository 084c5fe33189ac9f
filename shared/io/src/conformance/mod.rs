//! What every IO manager must do, as checks that any of them can be put through.
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
//! What a manager's format has no place for is said as a [`Limit`], and checked to be one.
//! [`killed_writer`] and [`big_partition`] are for managers whose data outlives a process.

mod attempts;
mod big;
mod case;
mod concurrency;
mod killed;
mod measures;
mod rows;
mod streams;
mod support;
mod types;

pub use big::{big_partition, in_little_memory};
pub use case::{Case, Limit, check, check_all};
pub use killed::killed_writer;
