//! Keeping ordinals true when a definition changes.

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
    state::{StateError, StateErrorKind, StateResult, StateStore},
};

/// How many records are read at a time.
const AT_ONCE: usize = 32;

/// Numbers the record of every asset anew whose definition is another one than the record was
/// numbered by: a start date that was moved, a static key that was put in the middle. Partitions
/// that the definition still has keep their record; the others leave the status sets.
///
/// An entry point calls this before it plans. It reads one small record an asset, and writes only
/// where a definition changed.
///
/// # Errors
/// When the record cannot be read or written.
pub async fn renumber_changed(
    definitions: &Definitions,
    state: &Arc<dyn StateStore>,
    context: &PartitionContext,
) -> StateResult<()> {
    let graph = definitions.graph();
    for asset in graph.ids() {
        let definition = graph.partitions(asset);
        let layout = layout_of(definitions, asset)?;
        let key = graph.key(asset);
        if state.layout(key).await?.as_deref() == Some(layout.as_str()) {
            continue;
        }
        let ordinal = |partition: Option<&PartitionKey>| match (definition, partition) {
            (None, None) => Some(0),
            (Some(definition), Some(partition)) => definition.find(partition.as_str(), context),
            _ => None,
        };
        state.renumber(key, &layout, &ordinal).await?;
    }
    Ok(())
}

/// The assets whose definition is another one than the record was numbered by. What the record says
/// by ordinal of those means something else to this project. It changes nothing: for who only reads,
/// and does not know whether the record is to follow.
///
/// # Errors
/// When the record cannot be read.
pub async fn changed_layouts(
    definitions: &Definitions,
    state: &Arc<dyn StateStore>,
) -> StateResult<Vec<AssetKey>> {
    let graph = definitions.graph();
    let reads = graph.ids().map(|asset| async move {
        let key = graph.key(asset);
        let recorded = state.layout(key).await?;
        let declared = layout_of(definitions, asset)?;
        let changed = recorded.is_some_and(|recorded| recorded != declared);
        StateResult::Ok(changed.then(|| key.clone()))
    });
    let reads: Vec<_> = reads.collect();
    let changed: Vec<Option<AssetKey>> =
        stream::iter(reads).buffered(AT_ONCE).try_collect().await?;
    Ok(changed.into_iter().flatten().collect())
}

/// A fingerprint of an asset's partitions definition.
fn layout_of(definitions: &Definitions, asset: AssetId) -> StateResult<String> {
    let graph = definitions.graph();
    let declared = serde_json::to_vec(&graph.partitions(asset)).map_err(|error| {
        StateError::new(
            StateErrorKind::Conflict,
            format!(
                "the partitions of `{}` cannot be written down",
                graph.key(asset)
            ),
        )
        .because(error)
    })?;
    let digest = Sha256::digest(declared);
    Ok(digest
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect())
}
