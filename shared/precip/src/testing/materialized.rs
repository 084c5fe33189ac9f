//! [`Materialized`].

use std::sync::Arc;

use precip_core::metadata::Metadata;
use precip_engine::{
    asset::{Asset, LoadedInput, LoadedPart},
    definitions::OpenEnvironment,
    io::Address,
    run::{ItemFailure, RunEnd, RunSession},
    state::{CheckEvaluation, Materialization, PartitionRef, ReadConsistency},
};
use precip_io::LoadFrom;
use precip_local::executor::RunReport;

use super::TestError;

/// A run that was made in memory, and everything that came of it.
#[derive(Debug)]
pub struct Materialized {
    pub(super) session: Arc<RunSession>,
    pub(super) open: OpenEnvironment,
    pub(super) report: RunReport,
}

impl Materialized {
    /// Whether everything was made, and no blocking check failed.
    pub fn success(&self) -> bool {
        self.report.end == RunEnd::Succeeded
    }

    /// What went wrong, in the order in which it did.
    pub fn failures(&self) -> &[ItemFailure] {
        &self.report.failures
    }

    /// How many (asset, partition) pairs were made.
    pub fn count(&self) -> u64 {
        self.report.materialized
    }

    /// What was made of an asset, read as a type that a downstream function could take. `partition`
    /// is `None` for an unpartitioned asset.
    ///
    /// # Errors
    /// [`TestError::Value`] when it was not made, was stored by the function itself, or cannot be
    /// read so.
    pub async fn value<A: Asset, P: LoadFrom<A::Data>>(
        &self,
        partition: Option<&str>,
    ) -> Result<P, TestError> {
        let made = self.materialization::<A>(partition).await?;
        let pointer = made
            .pointer
            .as_deref()
            .ok_or_else(|| TestError::Value(format!("`{}` stores its data itself", A::KEY)))?;
        let spec = self.spec::<A>()?;
        let manager = self.open.io_managers.get(spec).ok_or_else(|| {
            TestError::Value(format!("the IO manager of `{}` is not open", A::KEY))
        })?;
        let address = Address {
            asset: A::key(),
            partition: made.target.partition.clone(),
            run: made.run,
            attempt: made.attempt,
        };
        let value = manager
            .load(&address, pointer, &P::needs().request)
            .await
            .map_err(|error| TestError::Value(error.to_string()))?;
        let input = LoadedInput {
            asset: A::key(),
            parts: vec![LoadedPart {
                partition: made.target.partition,
                value,
            }],
        };
        P::from_asset(input).map_err(|error| TestError::Value(error.to_string()))
    }

    /// The facts that are kept with what was made of an asset.
    ///
    /// # Errors
    /// [`TestError::Value`] when it was not made.
    pub async fn metadata<A: Asset>(&self, partition: Option<&str>) -> Result<Metadata, TestError> {
        Ok(self.materialization::<A>(partition).await?.metadata)
    }

    /// What the checks of an asset found.
    ///
    /// # Errors
    /// [`TestError`] when there is no such asset or partition.
    pub async fn checks<A: Asset>(
        &self,
        partition: Option<&str>,
    ) -> Result<Vec<CheckEvaluation>, TestError> {
        let target = self.target::<A>(partition)?;
        Ok(self.session.ports.state.latest_checks(&target).await?)
    }

    async fn materialization<A: Asset>(
        &self,
        partition: Option<&str>,
    ) -> Result<Materialization, TestError> {
        let target = self.target::<A>(partition)?;
        let latest = self
            .session
            .ports
            .state
            .latest(&target, ReadConsistency::Strong)
            .await?;
        let made = latest.and_then(|latest| latest.published().cloned());
        made.ok_or_else(|| TestError::Value(format!("`{target}` was not made")))
    }

    fn spec<A: Asset>(&self) -> Result<Option<&str>, TestError> {
        let graph = self.session.definitions.graph();
        let id = graph.id(&A::key()).ok_or_else(unknown::<A>)?;
        Ok(graph.asset(id).io_manager.as_deref())
    }

    fn target<A: Asset>(&self, partition: Option<&str>) -> Result<PartitionRef, TestError> {
        let graph = self.session.definitions.graph();
        let id = graph.id(&A::key()).ok_or_else(unknown::<A>)?;
        match (graph.partitions(id), partition) {
            (None, None) => Ok(PartitionRef::unpartitioned(A::key())),
            (Some(definition), Some(key)) => {
                let key = key.into();
                let ordinal = definition
                    .ordinal(&key, &self.session.context)
                    .map_err(|error| TestError::Value(error.to_string()))?;
                Ok(PartitionRef::new(A::key(), key, ordinal))
            }
            (None, Some(_)) => Err(TestError::Value(format!("`{}` has no partitions", A::KEY))),
            (Some(_), None) => Err(TestError::Value(format!(
                "`{}` is partitioned: say which partition",
                A::KEY
            ))),
        }
    }
}

fn unknown<A: Asset>() -> TestError {
    TestError::Value(format!("`{}` is not among the definitions", A::KEY))
}
