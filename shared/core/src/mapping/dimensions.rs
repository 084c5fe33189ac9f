//! Mappings in which at least one side has several dimensions.
//!
//! A set is cut into boxes (products of sets of each dimension), each mapped dimension is answered
//! by its own mapping, and the answers are multiplied again. As in Dagster, a dimension's keys are
//! mapped one by one: two windows that touch are not one long window here.

use std::{borrow::Cow, collections::BTreeSet};

use super::{
    InvalidMapping, PartitionMapping, UpstreamPartitions,
    validate::{multi, multi_sides, shared_dimension},
    windows,
};
use crate::partitions::{PartitionContext, PartitionKey, PartitionSet, PartitionsDefinition};

/// How one dimension of each side corresponds; a side with one dimension has position 0.
struct Dependency<'m> {
    upstream: usize,
    downstream: usize,
    mapping: Cow<'m, PartitionMapping>,
}

pub(super) fn to_upstream(
    mapping: &PartitionMapping,
    downstream_set: &PartitionSet,
    downstream: Option<&PartitionsDefinition>,
    upstream: &PartitionsDefinition,
    context: &PartitionContext,
) -> Result<UpstreamPartitions, InvalidMapping> {
    let (dependencies, downstream) = dependencies(mapping, upstream, downstream)?;
    let (from, to) = (Side(downstream), Side(upstream));
    let mut existing = PartitionSet::empty();
    let mut nonexistent: BTreeSet<PartitionKey> = BTreeSet::new();
    let unmapped = to.all(context);
    for sides in from.boxes(downstream_set) {
        let mut mapped = unmapped.clone();
        for dependency in &dependencies {
            let (down, up) = (
                from.dimension(dependency.downstream),
                to.dimension(dependency.upstream),
            );
            let side = &sides[dependency.downstream];
            let answer = match &*dependency.mapping {
                PartitionMapping::TimeWindow { .. } => {
                    windows::to_upstream_one_by_one(&dependency.mapping, side, down, up, context)?
                }
                mapping => mapping.to_upstream(side, down, up, context)?,
            };
            mapped[dependency.upstream] = answer.existing;
            nonexistent.extend(answer.nonexistent);
        }
        existing |= &to.product(&mapped);
    }
    Ok(UpstreamPartitions::new(existing, nonexistent))
}

pub(super) fn to_downstream(
    mapping: &PartitionMapping,
    upstream_set: &PartitionSet,
    upstream: &PartitionsDefinition,
    downstream: Option<&PartitionsDefinition>,
    context: &PartitionContext,
) -> Result<PartitionSet, InvalidMapping> {
    let (dependencies, downstream) = dependencies(mapping, upstream, downstream)?;
    let (from, to) = (Side(upstream), Side(downstream));
    let mut made = PartitionSet::empty();
    let unmapped = to.all(context);
    for sides in from.boxes(upstream_set) {
        let mut mapped = unmapped.clone();
        for dependency in &dependencies {
            let (up, down) = (
                from.dimension(dependency.upstream),
                to.dimension(dependency.downstream),
            );
            let side = &sides[dependency.upstream];
            mapped[dependency.downstream] = match &*dependency.mapping {
                PartitionMapping::TimeWindow { .. } => {
                    windows::to_downstream_one_by_one(&dependency.mapping, side, up, down, context)?
                }
                mapping => mapping.to_downstream(side, up, down, context)?,
            };
        }
        made |= &to.product(&mapped);
    }
    Ok(made)
}

fn dependencies<'m, 'd>(
    mapping: &'m PartitionMapping,
    upstream: &PartitionsDefinition,
    downstream: Option<&'d PartitionsDefinition>,
) -> Result<(Vec<Dependency<'m>>, &'d PartitionsDefinition), InvalidMapping> {
    if let PartitionMapping::Multi { dims } = mapping {
        let (up, (down, definition)) = multi_sides(upstream, downstream)?;
        multi(dims, up, down)?;
        let dependencies = dims.iter().filter_map(|(name, mapped)| {
            Some(Dependency {
                upstream: up.position(name)?,
                downstream: down.position(&mapped.downstream_dimension)?,
                mapping: Cow::Borrowed(&mapped.mapping),
            })
        });
        return Ok((dependencies.collect(), definition));
    }
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
    let dependency = Dependency {
        upstream,
        downstream,
        mapping: Cow::Owned(shared.mapping),
    };
    Ok((vec![dependency], definition))
}

/// A definition seen as dimensions, of which there may be one.
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

    fn all(self, context: &PartitionContext) -> Vec<PartitionSet> {
        match self.0 {
            PartitionsDefinition::Multi(multi) => multi.sides(context),
            single => vec![single.all(context)],
        }
    }

    fn boxes(self, set: &PartitionSet) -> Vec<Vec<PartitionSet>> {
        match self.0 {
            PartitionsDefinition::Multi(multi) => multi
                .boxes(set)
                .into_iter()
                .map(|part| part.sides)
                .collect(),
            _ if set.is_empty() => Vec::new(),
            _ => vec![vec![set.clone()]],
        }
    }

    fn product(self, sides: &[PartitionSet]) -> PartitionSet {
        match (self.0, sides) {
            (PartitionsDefinition::Multi(multi), sides) => multi.product(sides),
            (_, [side]) => side.clone(),
            (_, _) => PartitionSet::empty(),
        }
    }
}
