//! [`TokioSleeper`].

use std::time::Duration;

use async_trait::async_trait;
use precip_engine::run::Sleeper;

/// A sleeper that waits with tokio's timer.
#[derive(Debug, Clone, Copy, Default)]
pub struct TokioSleeper;

#[async_trait]
impl Sleeper for TokioSleeper {
    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}
