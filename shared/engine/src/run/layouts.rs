//! Keeping ordinals true when a definition changes.

use std::sync::Arc;

use precip_core::partitions::{PartitionContext, PartitionKey};
use sha2::{Digest, Sha256};

use crate::{
    definitions::Definitions,
    state::{StateError, StateErrorKind, StateResult, StateStore},
};

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
        let declared = serde_json::to_vec(&definition).map_err(|error| {
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
        let layout: String = digest
            .iter()
            .take(16)
            .map(|byte| format!("{byte:02x}"))
            .collect();
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
