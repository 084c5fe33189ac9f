//! Partitions whose data did not pass a blocking check.

use futures::{StreamExt, TryStreamExt, stream};
use precip_core::{graph::AssetId, key::CheckKey, partitions::PartitionSet, plan::Lineage};

use crate::{
    run::partition_refs,
    state::{Latest, PartitionRef, ReadConsistency, StateResult, StateStore},
};

/// Number of concurrent calls.
const AT_ONCE: usize = 8;

/// Returns those of an asset's materialized partitions that a blocking check failed for. An evaluation
/// counts if it is as new as the data. The cost grows with the number of failures.
///
/// # Errors
/// When the state store cannot be read.
pub(crate) async fn partitions_with_failed_checks(
    lineage: Lineage<'_>,
    state: &dyn StateStore,
    asset: AssetId,
    materialized: &PartitionSet,
) -> StateResult<PartitionSet> {
    let graph = lineage.graph;
    let mut failed = PartitionSet::empty();
    for check in graph.checks_of(asset) {
        let check = graph.check(check);
        if !check.blocking {
            continue;
        }
        // The set rules out almost every partition. It holds warnings, and evaluations of older data.
        let mut failing = state.failing_partitions(&check.key).await?;
        failing &= materialized;
        failing -= &failed;
        let targets = partition_refs(graph, lineage.context, graph.key(asset), &failing);
        let reads: Vec<_> = targets
            .iter()
            .map(|target| blocks_latest_data(state, &check.key, target))
            .collect();
        let blocked: Vec<Option<u64>> = stream::iter(reads).buffered(AT_ONCE).try_collect().await?;
        failed |= &blocked.into_iter().flatten().collect();
    }
    Ok(failed)
}

/// Returns the ordinal of a partition if a check blocks what is made from its published data.
async fn blocks_latest_data(
    state: &dyn StateStore,
    check: &CheckKey,
    target: &PartitionRef,
) -> StateResult<Option<u64>> {
    let evaluations = state.latest_checks(target).await?;
    let Some(evaluation) = evaluations.iter().find(|found| found.check == *check) else {
        return Ok(None);
    };
    if !evaluation.blocks_downstream() {
        return Ok(None);
    }
    let latest = state
        .latest_materialization(target, ReadConsistency::Eventual)
        .await?;
    let published = latest.as_ref().and_then(Latest::published);
    Ok(published
        .filter(|made| made.run <= evaluation.run)
        .map(|_| target.ordinal))
}
