//! Partitions of a run as they are written in its request.

use precip_core::{
    partitions::{PartitionContext, PartitionKey, PartitionSet, PartitionsDefinition},
    plan::{KeySpan, PartitionSelector, Which},
};

/// From how many neighbours on a range is written.
const RANGE: u64 = 3;

/// Some partitions as `materialize --partitions` takes them: neighbours as ranges, so that thousands
/// of days are a few characters.
pub fn partitions_text(
    definition: &PartitionsDefinition,
    set: &PartitionSet,
    context: &PartitionContext,
) -> String {
    let key = |ordinal: u64| definition.key(ordinal, context);
    let spans: Vec<KeySpan> = match definition {
        // Their keys do not come in the order of ordinals, or have holes.
        PartitionsDefinition::Multi(_) | PartitionsDefinition::Dynamic(_) => {
            definition.keys(set, context).map(KeySpan::One).collect()
        }
        PartitionsDefinition::Static(_) | PartitionsDefinition::TimeWindow(_) => set
            .ranges()
            .flat_map(|range| {
                if range.end - range.start >= RANGE {
                    let ends = key(range.start).zip(key(range.end - 1));
                    let span = ends.map(|(first, last)| KeySpan::Range(first, last));
                    return span.into_iter().collect::<Vec<_>>();
                }
                range.filter_map(key).map(KeySpan::One).collect()
            })
            .collect(),
    };
    PartitionSelector::new(Which::Keys(spans)).to_string()
}

/// Some keys, of which a definition may not know all yet.
pub(super) fn keys_text(
    definition: Option<&PartitionsDefinition>,
    keys: &std::collections::BTreeSet<PartitionKey>,
    context: &PartitionContext,
) -> Option<String> {
    if keys.is_empty() {
        return None;
    }
    if let Some(definition) = definition {
        let ordinals: Option<PartitionSet> = keys
            .iter()
            .map(|key| definition.find(key.as_str(), context))
            .collect::<Option<Vec<u64>>>()
            .map(|ordinals| ordinals.into_iter().collect());
        if let Some(set) = ordinals {
            return Some(partitions_text(definition, &set, context));
        }
    }
    Some(PartitionSelector::keys(keys.iter().cloned()).to_string())
}
