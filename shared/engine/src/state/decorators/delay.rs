//! [`DelayCalls`].

use std::time::Duration;

use async_trait::async_trait;

use super::CallHook;
use crate::state::StateResult;

/// A hook that delays every call, as a distant store does. Under `tokio::time::pause` no real time
/// passes.
#[derive(Debug, Clone, Copy)]
pub struct DelayCalls {
    /// The time a call takes to reach the store.
    pub before: Duration,
    /// The time the answer takes to come back.
    pub after: Duration,
}

#[async_trait]
impl CallHook for DelayCalls {
    async fn before_call(&self, _call: &'static str) -> StateResult<()> {
        tokio::time::sleep(self.before).await;
        Ok(())
    }

    async fn after_call(&self, _call: &'static str) -> StateResult<()> {
        tokio::time::sleep(self.after).await;
        Ok(())
    }
}
