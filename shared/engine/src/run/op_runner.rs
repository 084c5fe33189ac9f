//! [`OpRunner`]: the port that runs the functions of ops.

use std::{any::Any, panic::AssertUnwindSafe, sync::Arc};

use async_trait::async_trait;
use futures::FutureExt;

use crate::{
    asset::{AssetContext, AssetError, ErrorKind, Inputs, OpBody, OpOutputs, Resources},
    definitions::OpDefinition,
};

/// Runs the functions of ops. An executor runs blocking functions
/// ([`Execution::Blocking`](crate::asset::Execution)) on a thread of their own.
#[async_trait]
pub trait OpRunner: Send + Sync {
    /// Runs an op's function once and returns its result. A panic becomes an error.
    ///
    /// # Errors
    /// The function's own error, or [`ErrorKind::Panic`] when it panicked.
    async fn run_op(
        &self,
        op: &OpDefinition,
        context: AssetContext,
        inputs: Inputs,
        resources: &Arc<Resources>,
    ) -> Result<OpOutputs, AssetError>;
}

/// Runs every function on the task that calls it.
#[derive(Debug, Clone, Copy, Default)]
pub struct InlineOpRunner;

#[async_trait]
impl OpRunner for InlineOpRunner {
    async fn run_op(
        &self,
        op: &OpDefinition,
        context: AssetContext,
        inputs: Inputs,
        resources: &Arc<Resources>,
    ) -> Result<OpOutputs, AssetError> {
        call_body(op.body.as_ref(), context, inputs, resources).await
    }
}

/// Calls a body and turns a panic into an error. Implementations of [`OpRunner`] call it on the
/// thread of their choice.
///
/// # Errors
/// The body's own error, or [`ErrorKind::Panic`] when it panicked.
pub async fn call_body(
    body: &dyn OpBody,
    context: AssetContext,
    inputs: Inputs,
    resources: &Resources,
) -> Result<OpOutputs, AssetError> {
    AssertUnwindSafe(body.run_op(context, inputs, resources))
        .catch_unwind()
        .await
        .unwrap_or_else(|payload| Err(panic_error(payload.as_ref())))
}

/// Builds the error of a function that panicked, from the panic's payload.
pub(crate) fn panic_error(payload: &(dyn Any + Send)) -> AssetError {
    // `panic!` with a literal carries a `&str`, with arguments a `String`.
    let text = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let message = match text {
        Some(text) => format!("the function panicked: {text}"),
        None => "the function panicked".to_owned(),
    };
    AssetError::with_kind(ErrorKind::Panic, message)
}
