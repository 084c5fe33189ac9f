//! The text of the partitions of a run request.

use precip_core::{
    partitions::{PartitionContext, PartitionKey, PartitionSet, PartitionsDefinition},
    plan::{KeySpan, PartitionChoice, PartitionSelector},
};

/// Minimum number of neighbours that are written as a range.
const RANGE: u64 = 3;

/// Formats partitions as `materialize --partitions` reads them: neighbours as ranges, so that
/// thousands of days are a few characters.
pub fn partitions_text(
    definition: &PartitionsDefinition,
    set: &PartitionSet,
    context: &PartitionContext,
) -> String {
    let key = |ordinal: u64| definition.key(ordinal, context);
    let spans: Vec<KeySpan> = match definition {
        // Their keys are not in the order of ordinals, or have gaps: no ranges.
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
    PartitionSelector::new(PartitionChoice::Keys(spans)).to_string()
}

/// Formats partition keys; `None` without keys. A key that does not exist yet is written as it is.
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
        // Only if every key exists: otherwise ranges would not name the missing ones.
        if let Some(set) = ordinals {
            return Some(partitions_text(definition, &set, context));
        }
    }
    Some(PartitionSelector::keys(keys.iter().cloned()).to_string())
}
