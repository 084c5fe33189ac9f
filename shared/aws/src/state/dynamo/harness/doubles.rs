//! What stands beside a table where it is not what is tested.

use std::time::Duration;

use async_trait::async_trait;
use precip_engine::{
    asset::{AssetContext, Inputs, OpOutputs, Resources, RunFuture},
    run::Sleeper,
    state::Run,
    trigger::RunLauncher,
};

/// Waits as long as it is asked to.
#[derive(Debug)]
pub struct Awake;

#[async_trait]
impl Sleeper for Awake {
    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// Carries no run out: it is on record, and the test says what becomes of it.
#[derive(Debug)]
pub struct Noted;

#[async_trait]
impl RunLauncher for Noted {
    async fn launch(&self, _: &Run) -> Result<(), String> {
        Ok(())
    }
}

/// The body of an op that nobody runs.
///
/// # Errors
/// None.
pub fn nothing(_: AssetContext, _: Inputs, _: &Resources) -> RunFuture<'_> {
    Box::pin(async { Ok(OpOutputs::default()) })
}
