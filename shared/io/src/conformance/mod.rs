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

mod attempts;
mod case;
mod rows;
mod support;

pub use case::{Case, check, check_all};
