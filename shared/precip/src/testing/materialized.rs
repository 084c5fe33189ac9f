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

/// A finished run in memory: its materializations, checks and failures.
#[derive(Debug)]
pub struct Materialized {
    pub(super) session: Arc<RunSession>,
    pub(super) open: OpenEnvironment,
    pub(super) report: RunReport,
}

impl Materialized {
    /// Returns whether everything was materialized and no blocking check failed.
    pub fn success(&self) -> bool {
        self.report.end == RunEnd::Succeeded
    }

    /// Returns the failures, in the order in which they occurred.
    pub fn failures(&self) -> &[ItemFailure] {
        &self.report.failures
    }

    /// Returns the number of materialized (asset, partition) pairs.
    pub fn count(&self) -> u64 {
        self.report.materialized
    }

    /// Loads the data of an asset as a type that a downstream function could take. `partition` is
    /// `None` for an unpartitioned asset.
    ///
    /// # Errors
    /// [`TestError::Value`] when it was not materialized, was stored by the function itself, or
    /// cannot be loaded as this type.
    pub async fn value<A: Asset, P: LoadFrom<A::Data>>(
        &self,
        partition: Option<&str>,
    ) -> Result<P, TestError> {
        let materialization = self.materialization::<A>(partition).await?;
        let pointer = materialization
            .pointer
            .as_deref()
            .ok_or_else(|| TestError::Value(format!("`{}` stores its data itself", A::KEY)))?;
        let manager_name = self.io_manager_name::<A>()?;
        let manager = self.open.io_managers.get(manager_name).ok_or_else(|| {
            TestError::Value(format!("the IO manager of `{}` is not open", A::KEY))
        })?;
        let address = Address {
            asset: A::key(),
            partition: materialization.target.partition.clone(),
            run: materialization.run,
            attempt: materialization.attempt,
        };
        let value = manager
            .load(&address, pointer, &P::needs().request)
            .await
            .map_err(|error| TestError::Value(error.to_string()))?;
        // The same conversion as for a parameter of a downstream function.
        let input = LoadedInput {
            asset: A::key(),
            parts: vec![LoadedPart {
                partition: materialization.target.partition,
                value,
            }],
        };
        P::from_asset(input).map_err(|error| TestError::Value(error.to_string()))
    }

    /// Returns the metadata of an asset's materialization.
    ///
    /// # Errors
    /// [`TestError::Value`] when it was not materialized.
    pub async fn metadata<A: Asset>(&self, partition: Option<&str>) -> Result<Metadata, TestError> {
        Ok(self.materialization::<A>(partition).await?.metadata)
    }

    /// Returns the results of an asset's checks.
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
            .latest_materialization(&target, ReadConsistency::Strong)
            .await?;
        let published = latest.and_then(|latest| latest.published().cloned());
        published.ok_or_else(|| TestError::Value(format!("`{target}` was not materialized")))
    }

    fn io_manager_name<A: Asset>(&self) -> Result<Option<&str>, TestError> {
        let graph = self.session.definitions.graph();
        let id = graph.id(&A::key()).ok_or_else(not_defined::<A>)?;
        Ok(graph.asset(id).io_manager.as_deref())
    }

    fn target<A: Asset>(&self, partition: Option<&str>) -> Result<PartitionRef, TestError> {
        let graph = self.session.definitions.graph();
        let id = graph.id(&A::key()).ok_or_else(not_defined::<A>)?;
        // A partition has to be named if, and only if, the asset is partitioned.
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
                "`{}` is partitioned: name the partition",
                A::KEY
            ))),
        }
    }
}

fn not_defined<A: Asset>() -> TestError {
    TestError::Value(format!("`{}` is not one of the definitions", A::KEY))
}
