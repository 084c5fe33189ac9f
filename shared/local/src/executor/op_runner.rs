//! [`TokioOpRunner`].

use std::sync::Arc;

use async_trait::async_trait;
use precip_engine::{
    asset::{AssetContext, AssetError, ErrorKind, Execution, Inputs, OpOutputs, Resources},
    definitions::OpDefinition,
    run::{OpRunner, call_body},
};
use tokio::runtime::Handle;

/// A runner of op functions on tokio: an `async fn` runs in the calling task, and a plain `fn` on a
/// thread of its own, so that computation does not delay the storing and committing of other items. A
/// plain function that exceeds its op's timeout is abandoned, and its later result is discarded.
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
        match op.execution {
            Execution::Async => call_body(op.body.as_ref(), context, inputs, resources).await,
            Execution::Blocking => {
                let (body, resources) = (Arc::clone(&op.body), Arc::clone(resources));
                // The function's future is driven on that thread, with the runtime at hand for its I/O.
                let runtime = Handle::current();
                let call =
                    move || runtime.block_on(call_body(body.as_ref(), context, inputs, &resources));
                tokio::task::spawn_blocking(call)
                    .await
                    .unwrap_or_else(|error| {
                        let message = format!("the function was abandoned: {error}");
                        Err(AssetError::with_kind(ErrorKind::Retryable, message))
                    })
            }
        }
    }
}
