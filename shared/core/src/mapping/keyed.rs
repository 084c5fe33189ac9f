//! Mappings by key: identity, a fixed table, and a list of keys.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    InvalidMapping, UpstreamPartitions,
    error::describe_definition,
    validate::{require_downstream_keys, require_upstream_keys},
};
use crate::partitions::{PartitionContext, PartitionKey, PartitionSet, PartitionsDefinition};

/// The downstream keys of each upstream key.
type Table = BTreeMap<PartitionKey, BTreeSet<PartitionKey>>;

/// Maps downstream partitions to the upstream partitions with the same keys.
pub(super) fn identity_up(
    downstream_set: &PartitionSet,
    downstream: Option<&PartitionsDefinition>,
    upstream: &PartitionsDefinition,
    context: &PartitionContext,
) -> Result<UpstreamPartitions, InvalidMapping> {
    let downstream = require_partitioned(downstream)?;
    // Equal definitions have equal ordinals, so no key is needed.
    if downstream == upstream {
        return Ok(UpstreamPartitions::from_existing(downstream_set.clone()));
    }
    let keys = downstream.keys(downstream_set, context);
    Ok(find_upstream(keys, upstream, context))
}

/// Maps upstream partitions to the downstream partitions with the same keys.
pub(super) fn identity_down(
    upstream_set: &PartitionSet,
    upstream: &PartitionsDefinition,
    downstream: Option<&PartitionsDefinition>,
    context: &PartitionContext,
) -> Result<PartitionSet, InvalidMapping> {
    let downstream = require_partitioned(downstream)?;
    if downstream == upstream {
        return Ok(upstream_set.clone());
    }
    Ok(upstream
        .keys(upstream_set, context)
        .filter_map(|key| downstream.find(key.as_str(), context))
        .collect())
}

fn require_partitioned(
    downstream: Option<&PartitionsDefinition>,
) -> Result<&PartitionsDefinition, InvalidMapping> {
    downstream.ok_or_else(|| {
        InvalidMapping::with_reason(format!(
            "an identity mapping needs keys on both sides, but the downstream is {}: write `all` or \
             `last`",
            describe_definition(None)
        ))
    })
}

/// Maps downstream partitions to upstream partitions by a table.
pub(super) fn static_up(
    table: &Table,
    downstream_set: &PartitionSet,
    downstream: Option<&PartitionsDefinition>,
    upstream: &PartitionsDefinition,
) -> Result<UpstreamPartitions, InvalidMapping> {
    let PartitionsDefinition::Static(upstream) = upstream else {
        return Err(not_static("upstream", Some(upstream)));
    };
    require_upstream_keys(table, upstream)?;
    // A table relates nothing to an unpartitioned downstream.
    let downstream = match downstream {
        None => return Ok(UpstreamPartitions::default()),
        Some(PartitionsDefinition::Static(downstream)) => downstream,
        other => return Err(not_static("downstream", other)),
    };
    // The table is from upstream to downstream, so search it for the downstream keys.
    let leads_to_set = |keys: &BTreeSet<PartitionKey>| {
        keys.iter()
            .filter_map(|key| downstream.ordinal(key.as_str()))
            .any(|ordinal| downstream_set.contains(ordinal))
    };
    let existing = table
        .iter()
        .filter(|(_, keys)| leads_to_set(keys))
        .filter_map(|(key, _)| upstream.ordinal(key.as_str()))
        .collect();
    Ok(UpstreamPartitions::from_existing(existing))
}

/// Maps upstream partitions to downstream partitions by a table.
pub(super) fn static_down(
    table: &Table,
    upstream_set: &PartitionSet,
    upstream: &PartitionsDefinition,
    downstream: Option<&PartitionsDefinition>,
) -> Result<PartitionSet, InvalidMapping> {
    let Some(PartitionsDefinition::Static(downstream)) = downstream else {
        return Err(not_static("downstream", downstream));
    };
    require_downstream_keys(table, downstream)?;
    let PartitionsDefinition::Static(upstream) = upstream else {
        return Err(not_static("upstream", Some(upstream)));
    };
    let is_in_set = |key: &PartitionKey| {
        upstream
            .ordinal(key.as_str())
            .is_some_and(|ordinal| upstream_set.contains(ordinal))
    };
    Ok(table
        .iter()
        .filter(|(key, _)| is_in_set(key))
        .flat_map(|(_, keys)| keys)
        .filter_map(|key| downstream.ordinal(key.as_str()))
        .collect())
}

fn not_static(side: &str, definition: Option<&PartitionsDefinition>) -> InvalidMapping {
    InvalidMapping::with_reason(format!(
        "a static mapping needs fixed keys on both sides, but the {side} is {}",
        describe_definition(definition)
    ))
}

/// Returns the upstream partitions of a fixed list of keys.
pub(super) fn specific_up(
    keys: &[PartitionKey],
    upstream: &PartitionsDefinition,
    context: &PartitionContext,
) -> UpstreamPartitions {
    find_upstream(keys.iter().cloned(), upstream, context)
}

/// Finds upstream partitions by key; keys without a partition are nonexistent.
fn find_upstream(
    keys: impl Iterator<Item = PartitionKey>,
    upstream: &PartitionsDefinition,
    context: &PartitionContext,
) -> UpstreamPartitions {
    let mut existing = PartitionSet::empty();
    let mut nonexistent = BTreeSet::new();
    for key in keys {
        match upstream.find(key.as_str(), context) {
            Some(ordinal) => {
                existing.insert(ordinal);
            }
            None => {
                nonexistent.insert(key);
            }
        }
    }
    UpstreamPartitions::new(existing, nonexistent)
}
