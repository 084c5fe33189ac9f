//! The callable part of an op.

use std::{collections::BTreeMap, fmt, future::Future, pin::Pin};

use async_trait::async_trait;

use crate::asset::{AssetContext, AssetError, LoadedInput, OpOutputs, Resources};

/// The inputs of one invocation, by parameter name.
pub type Inputs = BTreeMap<String, LoadedInput>;

/// The function of an [`FnBody`]: its future lives as long as the resources it borrows.
pub type RunFn = for<'a> fn(AssetContext, Inputs, &'a Resources) -> RunFuture<'a>;

/// The future of one invocation.
pub type RunFuture<'a> = Pin<Box<dyn Future<Output = Result<OpOutputs, AssetError>> + Send + 'a>>;

/// The computation of an op that materializes assets or evaluates checks.
#[async_trait]
pub trait OpBody: Send + Sync {
    /// Runs the computation once.
    ///
    /// # Errors
    /// The function's error, or a mismatch between the function and an input, a resource or the
    /// config.
    async fn run_op(
        &self,
        context: AssetContext,
        inputs: Inputs,
        resources: &Resources,
    ) -> Result<OpOutputs, AssetError>;
}

/// The kind of an op's function. The executor gives each call a thread of its own, so that a timeout fires
/// whatever the function does; a runner may let functions that yield share one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Execution {
    /// An `async fn`: it yields while it waits.
    #[default]
    Async,
    /// A plain `fn`: it keeps its thread until it is done.
    Blocking,
}

/// A plain function as an [`OpBody`].
#[derive(Clone, Copy)]
pub struct FnBody(pub RunFn);

#[async_trait]
impl OpBody for FnBody {
    async fn run_op(
        &self,
        context: AssetContext,
        inputs: Inputs,
        resources: &Resources,
    ) -> Result<OpOutputs, AssetError> {
        (self.0)(context, inputs, resources).await
    }
}

impl fmt::Debug for FnBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FnBody(..)")
    }
}
