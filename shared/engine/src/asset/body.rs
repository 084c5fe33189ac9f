//! The callable part of an op.

use std::{collections::BTreeMap, fmt, future::Future, pin::Pin};

use async_trait::async_trait;

use crate::asset::{AssetContext, AssetError, LoadedInput, OpOutputs, Resources};

/// The inputs of one invocation, by parameter name.
pub type Inputs = BTreeMap<String, LoadedInput>;

/// What [`FnBody`] is made from: a function whose future lives as long as the resources it borrows.
pub type RunFn = for<'a> fn(AssetContext, Inputs, &'a Resources) -> RunFuture<'a>;

/// The future of one invocation.
pub type RunFuture<'a> = Pin<Box<dyn Future<Output = Result<OpOutputs, AssetError>> + Send + 'a>>;

/// The computation of an op: of one that makes assets, and of one that only checks.
#[async_trait]
pub trait OpBody: Send + Sync {
    /// Runs it once.
    ///
    /// # Errors
    /// What the function answered, or that an input, a resource or the config did not fit it.
    async fn run(
        &self,
        context: AssetContext,
        inputs: Inputs,
        resources: &Resources,
    ) -> Result<OpOutputs, AssetError>;
}

/// How an op's function waits, so that an executor can give it the right thread.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Execution {
    /// An `async fn`: it yields while it waits, and can share a thread with others.
    #[default]
    Async,
    /// A plain `fn`: it keeps its thread until it is done, so it needs one of its own.
    Blocking,
}

/// A plain function as an [`OpBody`].
#[derive(Clone, Copy)]
pub struct FnBody(pub RunFn);

#[async_trait]
impl OpBody for FnBody {
    async fn run(
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
