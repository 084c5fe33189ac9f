//! [`TokioBodies`].

use std::sync::Arc;

use async_trait::async_trait;
use precip_engine::{
    asset::{AssetContext, AssetError, ErrorKind, Execution, Inputs, OpOutputs, Resources},
    definitions::OpDefinition,
    run::{Bodies, call_body},
};
use tokio::runtime::Handle;

/// Runs an `async fn` where it is called, and a plain `fn` on a thread of its own, so that what only
/// computes does not keep others from being stored and committed. A plain function that takes longer
/// than its op's timeout is given up on, and what it answers later is thrown away.
#[derive(Debug, Clone, Copy, Default)]
pub struct TokioBodies;

#[async_trait]
impl Bodies for TokioBodies {
    async fn run(
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
                let runtime = Handle::current();
                let call =
                    move || runtime.block_on(call_body(body.as_ref(), context, inputs, &resources));
                tokio::task::spawn_blocking(call)
                    .await
                    .unwrap_or_else(|error| {
                        let message = format!("the function was given up on: {error}");
                        Err(AssetError::with_kind(ErrorKind::Retryable, message))
                    })
            }
        }
    }
}
