//! [`TokioFunctionRunner`].

use std::time::Duration;

use async_trait::async_trait;
use precip_engine::{
    asset::{AssetError, ErrorKind},
    trigger::{FunctionCall, FunctionRunner, SensorResult},
};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

/// A runner of the functions of sensors and schedules on tokio, each on a thread of its own and with a
/// time limit, so that a function that hangs stops no other. One that blocks its thread is abandoned,
/// and its later answer is discarded.
#[derive(Debug, Clone, Copy)]
pub struct TokioFunctionRunner {
    limit: Duration,
}

impl TokioFunctionRunner {
    /// Creates a runner with another limit than a minute.
    pub fn with_limit(limit: Duration) -> Self {
        Self { limit }
    }
}

impl Default for TokioFunctionRunner {
    /// Creates a runner with a limit of a minute.
    fn default() -> Self {
        Self::with_limit(Duration::from_secs(60))
    }
}

#[async_trait]
impl FunctionRunner for TokioFunctionRunner {
    async fn run_function(&self, call: FunctionCall) -> Result<SensorResult, AssetError> {
        let runtime = Handle::current();
        let given_up = CancellationToken::new();
        // Dropping this call drops the guard, which ends a function that waits.
        let _guard = given_up.clone().drop_guard();
        let work = move || {
            runtime.block_on(async {
                tokio::select! {
                    biased;
                    answer = call.run() => answer,
                    () = given_up.cancelled() => Err(AssetError::terminal("the call was given up")),
                }
            })
        };
        let called = tokio::task::spawn_blocking(work);
        match tokio::time::timeout(self.limit, called).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => Err(AssetError::retryable(error.to_string())),
            // Terminal, since a function that hangs would hang again while the others wait.
            Err(_) => Err(AssetError::with_kind(
                ErrorKind::Terminal,
                format!(
                    "its function took longer than {:?} and was given up: let an asset do long work, and start its run",
                    self.limit
                ),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{Arc, Mutex},
        time::Duration,
    };

    use precip_engine::{
        asset::Resources,
        trigger::{FunctionCall, FunctionRunner, SensorContext, SensorResult, TriggerFuture},
    };

    use super::TokioFunctionRunner;

    /// The lock that a function waits for, and blocks its thread.
    static HELD: Mutex<()> = Mutex::new(());

    fn blocks(_: SensorContext, _: &Resources) -> TriggerFuture<'_> {
        Box::pin(async {
            drop(HELD.lock().unwrap());
            Ok(SensorResult::default())
        })
    }

    fn waits(_: SensorContext, _: &Resources) -> TriggerFuture<'_> {
        Box::pin(std::future::pending())
    }

    fn answers(_: SensorContext, _: &Resources) -> TriggerFuture<'_> {
        Box::pin(async { Ok(SensorResult::default()) })
    }

    #[test]
    fn a_function_that_hangs_is_given_up() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let resources = Arc::new(Resources::new());
        let run = |runner: TokioFunctionRunner, function| {
            let context = SensorContext::builder().build();
            let call = FunctionCall::of_sensor(function, context, &resources);
            runtime.block_on(runner.run_function(call))
        };
        let held = HELD.lock().unwrap();
        for function in [blocks, waits] {
            let short = TokioFunctionRunner::with_limit(Duration::from_millis(50));
            let error = run(short, function).unwrap_err();
            let expected = "its function took longer than 50ms and was given up";
            assert!(error.message().starts_with(expected), "{error:?}");
        }
        drop(held);
        assert!(run(TokioFunctionRunner::default(), answers).is_ok());
    }
}
