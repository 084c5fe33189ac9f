//! Mappings that go by key: identity, a fixed table, and a list of keys.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    InvalidMapping, UpstreamPartitions,
    error::kind,
    validate::{downstream_keys, upstream_keys},
};
use crate::partitions::{PartitionContext, PartitionKey, PartitionSet, PartitionsDefinition};

type Table = BTreeMap<PartitionKey, BTreeSet<PartitionKey>>;

pub(super) fn identity_up(
    downstream_set: &PartitionSet,
    downstream: Option<&PartitionsDefinition>,
    upstream: &PartitionsDefinition,
    context: &PartitionContext,
) -> Result<UpstreamPartitions, InvalidMapping> {
    let downstream = partitioned(downstream)?;
    if downstream == upstream {
        return Ok(UpstreamPartitions::existing(downstream_set.clone()));
    }
    let mut existing = PartitionSet::empty();
    let mut nonexistent = BTreeSet::new();
    for key in downstream.keys(downstream_set, context) {
        match upstream.find(key.as_str(), context) {
            Some(ordinal) => {
                existing.insert(ordinal);
            }
            None => {
                nonexistent.insert(key);
            }
        }
    }
    Ok(UpstreamPartitions::new(existing, nonexistent))
}

pub(super) fn identity_down(
    upstream_set: &PartitionSet,
    upstream: &PartitionsDefinition,
    downstream: Option<&PartitionsDefinition>,
    context: &PartitionContext,
) -> Result<PartitionSet, InvalidMapping> {
    let downstream = partitioned(downstream)?;
    if downstream == upstream {
        return Ok(upstream_set.clone());
    }
    Ok(upstream
        .keys(upstream_set, context)
        .filter_map(|key| downstream.find(key.as_str(), context))
        .collect())
}

fn partitioned(
    downstream: Option<&PartitionsDefinition>,
) -> Result<&PartitionsDefinition, InvalidMapping> {
    downstream.ok_or_else(|| {
        InvalidMapping::because(format!(
            "an identity mapping has no answer for a downstream that is {}: write `all` or `last`",
            kind(None)
        ))
    })
}

pub(super) fn static_up(
    table: &Table,
    downstream_set: &PartitionSet,
    downstream: Option<&PartitionsDefinition>,
    upstream: &PartitionsDefinition,
) -> Result<UpstreamPartitions, InvalidMapping> {
    let PartitionsDefinition::Static(upstream) = upstream else {
        return Err(not_static("upstream", Some(upstream)));
    };
    upstream_keys(table, upstream)?;
    let downstream = match downstream {
        None => return Ok(UpstreamPartitions::default()),
        Some(PartitionsDefinition::Static(downstream)) => downstream,
        other => return Err(not_static("downstream", other)),
    };
    let wanted = |keys: &BTreeSet<PartitionKey>| {
        keys.iter()
            .filter_map(|key| downstream.ordinal(key.as_str()))
            .any(|ordinal| downstream_set.contains(ordinal))
    };
    let existing = table
        .iter()
        .filter(|(_, keys)| wanted(keys))
        .filter_map(|(key, _)| upstream.ordinal(key.as_str()))
        .collect();
    Ok(UpstreamPartitions::existing(existing))
}

pub(super) fn static_down(
    table: &Table,
    upstream_set: &PartitionSet,
    upstream: &PartitionsDefinition,
    downstream: Option<&PartitionsDefinition>,
) -> Result<PartitionSet, InvalidMapping> {
    let Some(PartitionsDefinition::Static(downstream)) = downstream else {
        return Err(not_static("downstream", downstream));
    };
    downstream_keys(table, downstream)?;
    let PartitionsDefinition::Static(upstream) = upstream else {
        return Err(not_static("upstream", Some(upstream)));
    };
    let touched = |key: &PartitionKey| {
        upstream
            .ordinal(key.as_str())
            .is_some_and(|ordinal| upstream_set.contains(ordinal))
    };
    Ok(table
        .iter()
        .filter(|(key, _)| touched(key))
        .flat_map(|(_, keys)| keys)
        .filter_map(|key| downstream.ordinal(key.as_str()))
        .collect())
}

fn not_static(side: &str, definition: Option<&PartitionsDefinition>) -> InvalidMapping {
    InvalidMapping::because(format!(
        "a static mapping needs fixed keys on both sides, but the {side} is {}",
        kind(definition)
    ))
}

pub(super) fn specific(
    keys: &[PartitionKey],
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
                nonexistent.insert(key.clone());
            }
        }
    }
    UpstreamPartitions::new(existing, nonexistent)
}
