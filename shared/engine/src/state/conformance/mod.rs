//! The contract of [`StateStore`](crate::state::StateStore) as tests, which every adapter runs:
//!
//! ```ignore
//! precip_engine::state_store_conformance!(MyHarness::new().await);
//! ```
//!
//! generates one `#[tokio::test]` per rule. The tests of the adapter's crate need tokio with
//! `macros` and `rt-multi-thread`, unless they bring an executor of their own (`run_with = ..`).

pub mod checks;
pub mod commits;
pub mod dynamic;
pub mod fixtures;
mod macros;
pub mod order;
pub mod pools;
pub mod progress;
pub mod runs;
pub mod skips;
pub mod statuses;
pub mod triggers;

use std::{future::Future, sync::Arc};

use async_trait::async_trait;
use futures::future::join_all;
use tokio::runtime::Handle;

use crate::state::StateStore;

/// Access to the adapter under test. Each test creates its own harness over an empty store.
#[async_trait]
pub trait Harness: Send + Sync {
    /// Returns the store.
    fn store(&self) -> Arc<dyn StateStore>;

    /// Returns the same state through another handle, as another process would.
    async fn open_peer(&self) -> Arc<dyn StateStore>;

    /// Waits until the data that the adapter derives from writes (status sets, updates, progress)
    /// is up to date. Returns at once for adapters that derive it within the write.
    async fn await_projections(&self) {}
}

/// Runs futures at once, on the threads of tokio if the test has any, and returns their outputs in
/// order.
pub(crate) async fn run_at_once<T: Send + 'static>(
    futures: impl IntoIterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    if Handle::try_current().is_err() {
        return join_all(futures).await;
    }
    let tasks: Vec<_> = futures.into_iter().map(tokio::spawn).collect();
    let outputs = join_all(tasks).await.into_iter();
    outputs
        .map(|output| output.expect("a task does not panic"))
        .collect()
}
