//! [`TokioOpRunner`].

use std::sync::Arc;

use async_trait::async_trait;
use precip_engine::{
    asset::{AssetContext, AssetError, ErrorKind, Inputs, OpOutputs, Resources},
    definitions::OpDefinition,
    run::{OpRunner, call_body},
};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

/// A runner of op functions on tokio, each on a thread of its own: whatever a function does to its
/// thread, an `async fn` included, its timeout fires, and the storing and committing of other items go
/// on. A function that exceeds its op's timeout ends at its next `.await`. One that has none, because
/// it is a plain `fn` or blocks its thread, is abandoned, and its later result is discarded.
#[derive(Debug, Clone, Copy, Default)]
pub struct TokioOpRunner;

#[async_trait]
impl OpRunner for TokioOpRunner {
    async fn run_op(
        &self,
        op: &OpDefinition,
        context: AssetContext,
        inputs: Inputs,
        resources: &Arc<Resources>,
    ) -> Result<OpOutputs, AssetError> {
        let (body, resources) = (Arc::clone(&op.body), Arc::clone(resources));
        // The function's future is driven on that thread, with the runtime at hand for its I/O.
        let runtime = Handle::current();
        let given_up = CancellationToken::new();
        // Dropping this call, as a timeout does, drops the guard, which ends the function.
        let _guard = given_up.clone().drop_guard();
        let call = move || {
            runtime.block_on(async {
                tokio::select! {
                    // A result that is there counts, even if it is too late for the caller.
                    biased;
                    answer = call_body(body.as_ref(), context, inputs, &resources) => answer,
                    () = given_up.cancelled() => Err(abandoned(&"its call was dropped")),
                }
            })
        };
        let called = tokio::task::spawn_blocking(call).await;
        called.unwrap_or_else(|error| Err(abandoned(&error)))
    }
}

fn abandoned(reason: &dyn std::fmt::Display) -> AssetError {
    let message = format!("the function was abandoned: {reason}");
    AssetError::with_kind(ErrorKind::Retryable, message)
}
