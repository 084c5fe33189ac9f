//! The checks that a mapping fits its definitions.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    DimensionMapping, InvalidMapping, PartitionMapping, error::describe_definition,
    infer::SharedDimension,
};
use crate::{
    nearest::nearest_names,
    partitions::{MultiPartitions, PartitionKey, PartitionsDefinition, StaticPartitions},
    prose::{and_list, or_list},
};

/// Checks that a mapping fits its definitions.
pub(super) fn validate_mapping(
    mapping: &PartitionMapping,
    upstream: Option<&PartitionsDefinition>,
    downstream: Option<&PartitionsDefinition>,
) -> Result<(), InvalidMapping> {
    let Some(upstream) = upstream else {
        return Ok(());
    };
    match mapping {
        PartitionMapping::All | PartitionMapping::Last | PartitionMapping::Specific { .. } => {
            Ok(())
        }
        PartitionMapping::Identity => validate_identity(upstream, downstream),
        PartitionMapping::TimeWindow { .. } => {
            super::windows::time_window_sides(upstream, downstream).map(|_| ())
        }
        PartitionMapping::Static { map } => {
            let (upstream, downstream) = static_sides(upstream, downstream)?;
            require_upstream_keys(map, upstream)?;
            require_downstream_keys(map, downstream)
        }
        PartitionMapping::MultiToSingle { dimension } => {
            shared_dimension(upstream, downstream, dimension.as_deref()).map(|_| ())
        }
        PartitionMapping::Multi { dims } => {
            let (upstream, (downstream, _)) = multi_sides(upstream, downstream)?;
            validate_multi(dims, upstream, downstream)?;
            // Each inner mapping must fit its own pair of dimensions.
            dims.iter().try_for_each(|(name, mapped)| {
                let (up, down) = (
                    upstream.dimension(name),
                    downstream.dimension(&mapped.downstream_dimension),
                );
                mapped.mapping.validate(up, down).map_err(|invalid| {
                    InvalidMapping::with_reason(format!(
                        "dimension `{name}` to `{}`: {invalid}",
                        mapped.downstream_dimension
                    ))
                })
            })
        }
    }
}

fn validate_identity(
    upstream: &PartitionsDefinition,
    downstream: Option<&PartitionsDefinition>,
) -> Result<(), InvalidMapping> {
    let (up, down) = match (upstream, downstream) {
        // As in Dagster, time windows match if their cadences do, whatever their starts.
        (PartitionsDefinition::TimeWindow(up), Some(PartitionsDefinition::TimeWindow(down))) => {
            let (up, down) = (up.cadence(), down.cadence());
            if up == down {
                return Ok(());
            }
            (
                format!("partitioned by {up} windows"),
                format!("partitioned by {down} windows"),
            )
        }
        (up, Some(down)) if std::mem::discriminant(up) == std::mem::discriminant(down) => {
            return Ok(());
        }
        (up, down) => (
            describe_definition(Some(up)).to_owned(),
            describe_definition(down).to_owned(),
        ),
    };
    Err(InvalidMapping::with_reason(format!(
        "an identity mapping needs both sides partitioned in the same way, but the upstream is \
         {up} and the downstream {down}: give both the same definition, or write another mapping, \
         such as `all` or `last`, or leave it out between time windows"
    )))
}

fn static_sides<'a>(
    upstream: &'a PartitionsDefinition,
    downstream: Option<&'a PartitionsDefinition>,
) -> Result<(&'a StaticPartitions, &'a StaticPartitions), InvalidMapping> {
    match (upstream, downstream) {
        (
            PartitionsDefinition::Static(upstream),
            Some(PartitionsDefinition::Static(downstream)),
        ) => Ok((upstream, downstream)),
        _ => Err(InvalidMapping::with_reason(format!(
            "a static mapping needs fixed keys on both sides, but the upstream is {} and the \
             downstream {}: give both a static definition, or write another mapping",
            describe_definition(Some(upstream)),
            describe_definition(downstream)
        ))),
    }
}

pub(super) fn require_upstream_keys(
    map: &BTreeMap<PartitionKey, BTreeSet<PartitionKey>>,
    upstream: &StaticPartitions,
) -> Result<(), InvalidMapping> {
    map.keys()
        .try_for_each(|key| require_known_key(key, upstream, "upstream"))
}

pub(super) fn require_downstream_keys(
    map: &BTreeMap<PartitionKey, BTreeSet<PartitionKey>>,
    downstream: &StaticPartitions,
) -> Result<(), InvalidMapping> {
    map.values()
        .flatten()
        .try_for_each(|key| require_known_key(key, downstream, "downstream"))
}

fn require_known_key(
    key: &PartitionKey,
    keys: &StaticPartitions,
    side: &str,
) -> Result<(), InvalidMapping> {
    if keys.ordinal(key.as_str()).is_some() {
        return Ok(());
    }
    // Suggest similar keys, or else the first few.
    let all: Vec<&str> = keys.keys().map(PartitionKey::as_str).collect();
    let near = nearest_names(key.as_str(), all.iter().copied());
    let instead = if near.is_empty() {
        &all[..all.len().min(5)]
    } else {
        &near
    };
    Err(InvalidMapping::with_reason(format!(
        "the mapping names `{key}`, which is not a key of the {side} definition: write {}",
        or_list(instead)
    )))
}

pub(super) fn shared_dimension<'d>(
    upstream: &PartitionsDefinition,
    downstream: Option<&'d PartitionsDefinition>,
    named: Option<&str>,
) -> Result<(SharedDimension, &'d PartitionsDefinition), InvalidMapping> {
    let Some(downstream) = downstream else {
        return Err(InvalidMapping::with_reason(
            "a mapping to one dimension needs a partitioned downstream: partition it like one of the \
             dimensions, or write `all`",
        ));
    };
    SharedDimension::find_between(upstream, downstream, named)
        .map(|shared| (shared, downstream))
        .map_err(InvalidMapping::with_reason)
}

/// Returns both sides as multi-dimensional, the downstream with its definition.
pub(super) fn multi_sides<'u, 'd>(
    upstream: &'u PartitionsDefinition,
    downstream: Option<&'d PartitionsDefinition>,
) -> Result<
    (
        &'u MultiPartitions,
        (&'d MultiPartitions, &'d PartitionsDefinition),
    ),
    InvalidMapping,
> {
    match (upstream, downstream) {
        (
            PartitionsDefinition::Multi(upstream),
            Some(definition @ PartitionsDefinition::Multi(downstream)),
        ) => Ok((upstream, (downstream, definition))),
        _ => Err(InvalidMapping::with_reason(format!(
            "a mapping of dimensions needs several dimensions on both sides, but the upstream is \
             {} and the downstream {}: use a mapping to a single dimension, or leave it out",
            describe_definition(Some(upstream)),
            describe_definition(downstream)
        ))),
    }
}

pub(super) fn validate_multi(
    dims: &BTreeMap<String, DimensionMapping>,
    upstream: &MultiPartitions,
    downstream: &MultiPartitions,
) -> Result<(), InvalidMapping> {
    // The upstream dimension of each downstream dimension, to find duplicates.
    let mut mapped: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, dimension) in dims {
        let target = dimension.downstream_dimension.as_str();
        require_known_dimension(name, upstream, "upstream")?;
        require_known_dimension(target, downstream, "downstream")?;
        if let Some(first) = mapped.insert(target, name) {
            return Err(InvalidMapping::with_reason(format!(
                "upstream dimensions `{first}` and `{name}` are both mapped to the downstream \
                 dimension `{target}`: map each to a dimension of its own"
            )));
        }
    }
    Ok(())
}

fn require_known_dimension(
    name: &str,
    multi: &MultiPartitions,
    side: &str,
) -> Result<(), InvalidMapping> {
    if multi.dimension(name).is_some() {
        return Ok(());
    }
    let names: Vec<&str> = multi.dimensions().map(|(name, _)| name).collect();
    Err(InvalidMapping::with_reason(format!(
        "the {side} definition has no dimension `{name}`: its dimensions are {}",
        and_list(&names)
    )))
}
