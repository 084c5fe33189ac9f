//! [`MemoryStore`]: state in memory, for tests and dry runs.

mod checks;
mod dynamic;
mod materializations;
mod pools;
mod runs;
mod tables;
mod triggers;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tables::Tables;

/// State that lives as long as the process. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore(Arc<Mutex<Tables>>);

impl MemoryStore {
    /// Creates an empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        // A panic in a caller's `renumber_partitions` closure cannot leave a table half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
