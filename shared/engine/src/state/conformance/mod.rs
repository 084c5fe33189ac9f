//! The contract of [`StateStore`](crate::state::StateStore) as tests. Every adapter runs them:
//!
//! ```ignore
//! precip_engine::state_store_conformance!(MyHarness::new().await);
//! ```
//!
//! makes one `#[tokio::test]` of each rule; the adapter's crate needs tokio with `macros` and
//! `rt-multi-thread` for its tests.

pub mod checks;
pub mod commits;
pub mod dynamic;
pub mod fixtures;
mod macros;
pub mod order;
pub mod pools;
pub mod progress;
pub mod runs;
pub mod statuses;
pub mod triggers;

use std::sync::Arc;

use async_trait::async_trait;

use crate::state::StateStore;

/// How the rules get at the adapter under test. Each test makes a harness of its own, over a store
/// with nothing in it.
#[async_trait]
pub trait Harness: Send + Sync {
    /// The store.
    fn store(&self) -> Arc<dyn StateStore>;

    /// The same state through another handle, as another process has it.
    async fn peer(&self) -> Arc<dyn StateStore>;

    /// Waits until what the adapter derives behind the writes (status sets, updates, progress) is
    /// up to date. Nothing to do where it is written together with them.
    async fn settle(&self) {}
}
