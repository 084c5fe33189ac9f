//! [`Bodies`]: where the functions of ops run.

use std::{any::Any, panic::AssertUnwindSafe, sync::Arc};

use async_trait::async_trait;
use futures::FutureExt;

use crate::{
    asset::{AssetContext, AssetError, ErrorKind, Inputs, OpBody, OpOutputs, Resources},
    definitions::OpDefinition,
};

/// Where the functions of ops run. An executor gives those that keep their thread
/// ([`Execution::Blocking`](crate::asset::Execution)) one of their own.
#[async_trait]
pub trait Bodies: Send + Sync {
    /// Runs an op's function once. A panic is an answer like any other.
    ///
    /// # Errors
    /// What the function answered; [`ErrorKind::Panic`] when it panicked.
    async fn run(
        &self,
        op: &OpDefinition,
        context: AssetContext,
        inputs: Inputs,
        resources: &Arc<Resources>,
    ) -> Result<OpOutputs, AssetError>;
}

/// Runs every function where it is called.
#[derive(Debug, Clone, Copy, Default)]
pub struct InlineBodies;

#[async_trait]
impl Bodies for InlineBodies {
    async fn run(
        &self,
        op: &OpDefinition,
        context: AssetContext,
        inputs: Inputs,
        resources: &Arc<Resources>,
    ) -> Result<OpOutputs, AssetError> {
        call_body(op.body.as_ref(), context, inputs, resources).await
    }
}

/// Calls a body, and answers a panic as an error. An executor's own [`Bodies`] call it in the place
/// of their choice.
///
/// # Errors
/// What the body answered; [`ErrorKind::Panic`] when it panicked.
pub async fn call_body(
    body: &dyn OpBody,
    context: AssetContext,
    inputs: Inputs,
    resources: &Resources,
) -> Result<OpOutputs, AssetError> {
    AssertUnwindSafe(body.run(context, inputs, resources))
        .catch_unwind()
        .await
        .unwrap_or_else(|payload| Err(panicked(payload.as_ref())))
}

pub(crate) fn panicked(payload: &(dyn Any + Send)) -> AssetError {
    let said = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let message = match said {
        Some(said) => format!("the function panicked: {said}"),
        None => "the function panicked".to_owned(),
    };
    AssetError::with_kind(ErrorKind::Panic, message)
}
