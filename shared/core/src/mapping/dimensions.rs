//! Mappings in which at least one side has several dimensions.
//!
//! A set is split into boxes (products of one set for each dimension), each mapped dimension is
//! mapped by its own mapping, and the results are multiplied again. As in Dagster, a dimension's
//! keys are mapped one by one: adjacent windows are not treated as one long window.

use std::{borrow::Cow, collections::BTreeSet};

use super::{
    InvalidMapping, PartitionMapping, UpstreamPartitions,
    validate::{multi_sides, shared_dimension, validate_multi},
    windows,
};
use crate::partitions::{PartitionContext, PartitionKey, PartitionSet, PartitionsDefinition};

/// A pair of corresponding dimensions; a side with one dimension has position 0.
struct DimensionPair<'m> {
    upstream: usize,
    downstream: usize,
    mapping: Cow<'m, PartitionMapping>,
}

/// Maps a downstream set to upstream partitions.
pub(super) fn to_upstream(
    mapping: &PartitionMapping,
    downstream_set: &PartitionSet,
    downstream: Option<&PartitionsDefinition>,
    upstream: &PartitionsDefinition,
    context: &PartitionContext,
) -> Result<UpstreamPartitions, InvalidMapping> {
    let (pairs, downstream) = pair_dimensions(mapping, upstream, downstream)?;
    let (from, to) = (Side(downstream), Side(upstream));
    // A dimension without a pair keeps all of its partitions.
    let mut existing = PartitionSet::empty();
    let mut nonexistent: BTreeSet<PartitionKey> = BTreeSet::new();
    let unmapped = to.all_sides(context);
    for sides in from.split_boxes(downstream_set) {
        let mut mapped = unmapped.clone();
        for pair in &pairs {
            let (down, up) = (from.dimension(pair.downstream), to.dimension(pair.upstream));
            let side = &sides[pair.downstream];
            let upstream_side = match &*pair.mapping {
                PartitionMapping::TimeWindow { .. } => {
                    windows::to_upstream_one_by_one(&pair.mapping, side, down, up, context)?
                }
                mapping => mapping.to_upstream(side, down, up, context)?,
            };
            mapped[pair.upstream] = upstream_side.existing;
            nonexistent.extend(upstream_side.nonexistent);
        }
        existing |= &to.multiply_sides(&mapped);
    }
    Ok(UpstreamPartitions::new(existing, nonexistent))
}

/// Returns the keys of upstream dimensions that a downstream set needs and that are to come.
pub(super) fn upstream_to_come(
    mapping: &PartitionMapping,
    downstream_set: &PartitionSet,
    downstream: Option<&PartitionsDefinition>,
    upstream: &PartitionsDefinition,
    context: &PartitionContext,
) -> Result<Vec<PartitionKey>, InvalidMapping> {
    let (pairs, downstream) = pair_dimensions(mapping, upstream, downstream)?;
    let (from, to) = (Side(downstream), Side(upstream));
    let mut keys = BTreeSet::new();
    for sides in from.split_boxes(downstream_set) {
        for pair in &pairs {
            let (down, up) = (from.dimension(pair.downstream), to.dimension(pair.upstream));
            let side = &sides[pair.downstream];
            keys.extend(pair.mapping.upstream_to_come(side, down, up, context)?);
        }
    }
    Ok(keys.into_iter().collect())
}

/// Maps an upstream set to downstream partitions.
pub(super) fn to_downstream(
    mapping: &PartitionMapping,
    upstream_set: &PartitionSet,
    upstream: &PartitionsDefinition,
    downstream: Option<&PartitionsDefinition>,
    context: &PartitionContext,
) -> Result<PartitionSet, InvalidMapping> {
    let (pairs, downstream) = pair_dimensions(mapping, upstream, downstream)?;
    let (from, to) = (Side(upstream), Side(downstream));
    let mut downstream_set = PartitionSet::empty();
    let unmapped = to.all_sides(context);
    for sides in from.split_boxes(upstream_set) {
        let mut mapped = unmapped.clone();
        for pair in &pairs {
            let (up, down) = (from.dimension(pair.upstream), to.dimension(pair.downstream));
            let side = &sides[pair.upstream];
            mapped[pair.downstream] = match &*pair.mapping {
                // Adjacent windows are not one run in a dimension.
                PartitionMapping::TimeWindow { .. } => {
                    windows::to_downstream_one_by_one(&pair.mapping, side, up, down, context)?
                }
                mapping => mapping.to_downstream(side, up, down, context)?,
            };
        }
        downstream_set |= &to.multiply_sides(&mapped);
    }
    Ok(downstream_set)
}

/// Finds the pairs of dimensions that a mapping relates, and the downstream definition.
fn pair_dimensions<'m, 'd>(
    mapping: &'m PartitionMapping,
    upstream: &PartitionsDefinition,
    downstream: Option<&'d PartitionsDefinition>,
) -> Result<(Vec<DimensionPair<'m>>, &'d PartitionsDefinition), InvalidMapping> {
    if let PartitionMapping::Multi { dims } = mapping {
        let (up, (down, definition)) = multi_sides(upstream, downstream)?;
        validate_multi(dims, up, down)?;
        let pairs = dims.iter().filter_map(|(name, mapped)| {
            Some(DimensionPair {
                upstream: up.position(name)?,
                downstream: down.position(&mapped.downstream_dimension)?,
                mapping: Cow::Borrowed(&mapped.mapping),
            })
        });
        return Ok((pairs.collect(), definition));
    }
    // A mapping to a single dimension: the side with one dimension has position 0.
    let named = match mapping {
        PartitionMapping::MultiToSingle { dimension } => dimension.as_deref(),
        _ => None,
    };
    let (shared, definition) = shared_dimension(upstream, downstream, named)?;
    let (upstream, downstream) = if shared.upstream_is_multi {
        (shared.position, 0)
    } else {
        (0, shared.position)
    };
    let pair = DimensionPair {
        upstream,
        downstream,
        mapping: Cow::Owned(shared.mapping),
    };
    Ok((vec![pair], definition))
}

/// One side of a mapping as a list of dimensions; a plain definition counts as one dimension.
#[derive(Clone, Copy)]
struct Side<'d>(&'d PartitionsDefinition);

impl<'d> Side<'d> {
    fn dimension(self, position: usize) -> Option<&'d PartitionsDefinition> {
        match self.0 {
            PartitionsDefinition::Multi(multi) => multi
                .dimensions()
                .nth(position)
                .map(|(_, dimension)| dimension),
            single => Some(single),
        }
    }

    fn all_sides(self, context: &PartitionContext) -> Vec<PartitionSet> {
        match self.0 {
            PartitionsDefinition::Multi(multi) => multi.dimension_sets(context),
            single => vec![single.all(context)],
        }
    }

    fn split_boxes(self, set: &PartitionSet) -> Vec<Vec<PartitionSet>> {
        match self.0 {
            PartitionsDefinition::Multi(multi) => multi
                .split_into_boxes(set)
                .into_iter()
                .map(|part| part.sides)
                .collect(),
            _ if set.is_empty() => Vec::new(),
            _ => vec![vec![set.clone()]],
        }
    }

    fn multiply_sides(self, sides: &[PartitionSet]) -> PartitionSet {
        match (self.0, sides) {
            (PartitionsDefinition::Multi(multi), sides) => multi.product(sides),
            (_, [side]) => side.clone(),
            (_, _) => PartitionSet::empty(),
        }
    }
}
