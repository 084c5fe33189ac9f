//! Renumbering of recorded ordinals when a partitions definition changes.

use std::sync::Arc;

use futures::{StreamExt, TryStreamExt, stream};
use precip_core::{
    graph::AssetId,
    key::AssetKey,
    partitions::{PartitionContext, PartitionKey},
};
use sha2::{Digest, Sha256};

use crate::{
    definitions::Definitions,
    hex::to_hex,
    state::{StateError, StateErrorKind, StateResult, StateStore},
};

/// Number of records that are read concurrently.
const AT_ONCE: usize = 32;

/// Renumbers the records of every asset whose partitions definition has changed since it was
/// numbered, as by a moved start date or an inserted static key. Partitions that the definition
/// still has keep their records; the others leave the status sets.
///
/// The context is of the present, not of an earlier request: a partition that does not exist in it
/// leaves the status sets. Entry points call this before they plan. It reads one small record per
/// asset and writes only
/// where a definition changed. Returns the assets whose numbers had another meaning before.
///
/// # Errors
/// When the state store cannot be read or written.
pub async fn renumber_changed(
    definitions: &Definitions,
    state: &Arc<dyn StateStore>,
    context: &PartitionContext,
) -> StateResult<Vec<AssetKey>> {
    let graph = definitions.graph();
    let mut renumbered = Vec::new();
    for asset in graph.ids() {
        let definition = graph.partitions(asset);
        let layout = layout_of(definitions, asset)?;
        let key = graph.key(asset);
        let recorded = state.partition_layout(key).await?;
        if recorded.as_deref() == Some(layout.as_str()) {
            continue;
        }
        // `None` drops a partition that the definition no longer has from the status sets.
        let ordinal = |partition: Option<&PartitionKey>| match (definition, partition) {
            (None, None) => Some(0),
            (Some(definition), Some(partition)) => definition.find(partition.as_str(), context),
            _ => None,
        };
        state.renumber_partitions(key, &layout, &ordinal).await?;
        if recorded.is_some() {
            renumbered.push(key.clone());
        }
    }
    Ok(renumbered)
}

/// Returns the assets whose partitions definition has changed since their records were numbered:
/// recorded ordinals of these mean other partitions than in this project. Changes nothing, so that
/// commands that only read can warn about it.
///
/// # Errors
/// When the state store cannot be read.
pub async fn changed_layouts(
    definitions: &Definitions,
    state: &Arc<dyn StateStore>,
) -> StateResult<Vec<AssetKey>> {
    let graph = definitions.graph();
    let asset_reads = graph.ids().map(|asset| async move {
        let key = graph.key(asset);
        let recorded = state.partition_layout(key).await?;
        let declared = layout_of(definitions, asset)?;
        let changed = recorded.is_some_and(|recorded| recorded != declared);
        StateResult::Ok(changed.then(|| key.clone()))
    });
    // Collected first: the lazy iterator would borrow the graph across an await.
    let reads: Vec<_> = asset_reads.collect();
    let changed: Vec<Option<AssetKey>> =
        stream::iter(reads).buffered(AT_ONCE).try_collect().await?;
    Ok(changed.into_iter().flatten().collect())
}

/// Returns a fingerprint of an asset's partitions definition.
fn layout_of(definitions: &Definitions, asset: AssetId) -> StateResult<String> {
    let graph = definitions.graph();
    let declared = serde_json::to_vec(&graph.partitions(asset)).map_err(|error| {
        StateError::new(
            StateErrorKind::Conflict,
            format!(
                "the partitions of `{}` cannot be written as JSON",
                graph.key(asset)
            ),
        )
        .with_source(error)
    })?;
    Ok(fingerprint(&declared))
}

/// Returns a fingerprint of bytes: half of their SHA-256, in hexadecimal.
pub(crate) fn fingerprint(bytes: &[u8]) -> String {
    to_hex(&Sha256::digest(bytes)[..16])
}
