//! [`CountCalls`].

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;

use super::CallHook;
use crate::state::StateResult;

/// A hook that counts calls by name.
#[derive(Debug, Default)]
pub struct CountCalls(Mutex<BTreeMap<&'static str, u64>>);

impl CountCalls {
    /// Returns the number of calls of this name.
    pub fn calls_of(&self, call: &str) -> u64 {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.get(call).copied().unwrap_or_default()
    }

    /// Returns the number of all calls.
    pub fn total_calls(&self) -> u64 {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.values().sum()
    }
}

#[async_trait]
impl CallHook for CountCalls {
    async fn before_call(&self, call: &'static str) -> StateResult<()> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(call).or_default() += 1;
        Ok(())
    }
}
