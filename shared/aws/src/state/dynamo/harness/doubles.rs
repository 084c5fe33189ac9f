//! Test doubles of the ports other than the store.

use std::time::Duration;

use async_trait::async_trait;
use precip_engine::{
    asset::{AssetContext, Inputs, OpOutputs, Resources, RunFuture},
    run::Sleeper,
    state::Run,
    trigger::RunLauncher,
};

/// A sleeper that waits in real time.
#[derive(Debug)]
pub struct RealTimeSleeper;

#[async_trait]
impl Sleeper for RealTimeSleeper {
    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// A launcher that starts nothing: the run stays recorded, and the test decides what becomes of it.
#[derive(Debug)]
pub struct IdleLauncher;

#[async_trait]
impl RunLauncher for IdleLauncher {
    async fn launch(&self, _: &Run) -> Result<(), String> {
        Ok(())
    }
}

/// The body of an op that is never run.
///
/// # Errors
/// None.
pub fn empty_op(_: AssetContext, _: Inputs, _: &Resources) -> RunFuture<'_> {
    Box::pin(async { Ok(OpOutputs::default()) })
}
