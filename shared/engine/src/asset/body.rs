//! The callable part of ops and checks.

use std::{any::Any, collections::BTreeMap, sync::Arc};

use async_trait::async_trait;

use crate::asset::{AssetContext, AssetError, CheckResult, LoadedInput, OpOutputs};

/// The inputs of one invocation, by parameter name.
pub type Inputs = BTreeMap<String, LoadedInput>;

/// The resources of one environment, by name.
pub type Resources = BTreeMap<String, Arc<dyn Any + Send + Sync>>;

/// The computation of an op.
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

/// The computation of a check that is a function of its own.
#[async_trait]
pub trait CheckBody: Send + Sync {
    /// Runs it once.
    ///
    /// # Errors
    /// What the function answered, or that an input or a resource did not fit it.
    async fn run(
        &self,
        context: AssetContext,
        inputs: Inputs,
        resources: &Resources,
    ) -> Result<Vec<CheckResult>, AssetError>;
}
