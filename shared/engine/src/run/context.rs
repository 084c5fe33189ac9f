//! The context that an op's function receives.

use precip_core::{
    graph::AssetId,
    partitions::{PartitionKey, PartitionSet, PartitionsDefinition},
    plan::Step,
};

use crate::{
    asset::{AssetContext, PartitionScope},
    run::RunSession,
    state::CheckEvaluation,
};

impl RunSession {
    /// Builds the context of one attempt at a step.
    pub(super) fn asset_context(
        &self,
        step: &Step,
        partitioned_like: AssetId,
        partitions: &PartitionSet,
        attempt: u32,
        previous_checks: Vec<CheckEvaluation>,
    ) -> AssetContext {
        let scopes = self
            .partitions_definition(partitioned_like)
            .map(|definition| {
                let scope = |ordinal| self.partition_scope(definition, ordinal);
                partitions.iter().filter_map(scope).collect::<Vec<_>>()
            });
        AssetContext::builder()
            .run(self.run)
            .attempt(attempt)
            .now(self.now())
            .selected(step.assets.iter().cloned())
            .scopes(scopes.unwrap_or_default())
            .tags(self.tags.clone())
            .previous_checks(previous_checks)
            .config(self.config.get(&step.op).cloned().unwrap_or_default())
            .build()
    }

    /// Returns a partition with its time window and its keys by dimension, where it has them.
    fn partition_scope(
        &self,
        definition: &PartitionsDefinition,
        ordinal: u64,
    ) -> Option<PartitionScope> {
        let key = definition.key(ordinal, &self.context)?;
        let mut scope = PartitionScope::from(key.clone());
        match definition {
            PartitionsDefinition::TimeWindow(windows) => scope.window = windows.window(ordinal),
            PartitionsDefinition::Multi(multi) => {
                scope.dimensions = multi.keys_by_dimension(key.as_str())?.0;
                scope.window = multi.time_dimension().and_then(|(name, windows)| {
                    let part: &PartitionKey = scope.dimensions.get(name)?;
                    windows.window(windows.ordinal(part.as_str())?)
                });
            }
            PartitionsDefinition::Static(_) | PartitionsDefinition::Dynamic(_) => {}
        }
        Some(scope)
    }
}
