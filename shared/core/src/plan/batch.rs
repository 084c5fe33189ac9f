//! [`Batch`]: the partitions that one invocation makes together.

use crate::{
    partitions::{MultiPartitions, PartitionContext, PartitionSet, PartitionsDefinition},
    spec::BackfillPolicy,
};

/// The partitions that one invocation makes together: neighbours in their definition's order.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// The first in the definition's order.
    pub first: u64,
    /// The last in the definition's order.
    pub last: u64,
    /// All of them.
    pub partitions: PartitionSet,
}

impl Batch {
    fn of(ordinals: &[u64]) -> Option<Self> {
        Some(Self {
            first: *ordinals.first()?,
            last: *ordinals.last()?,
            partitions: ordinals.iter().copied().collect(),
        })
    }
}

/// Divides partitions into batches by a backfill policy. As in Dagster a batch holds neighbours
/// only, so that it can be named by its first and last key: a gap ends it even where the policy
/// would take all partitions at once. Of a multi-dimensional definition, the neighbours lie along
/// the dimension with more keys in the set.
///
/// An unpartitioned asset (`definition` is `None`) is one batch.
pub fn batches(
    policy: BackfillPolicy,
    definition: Option<&PartitionsDefinition>,
    set: &PartitionSet,
    context: &PartitionContext,
) -> Vec<Batch> {
    let single = |ordinal| Batch {
        first: ordinal,
        last: ordinal,
        partitions: PartitionSet::single(ordinal),
    };
    let most = match policy {
        BackfillPolicy::PerPartition => return set.iter().map(single).collect(),
        BackfillPolicy::MultiRun(most) => usize::try_from(most.get()).unwrap_or(usize::MAX),
        BackfillPolicy::SingleRun => usize::MAX,
    };
    neighbours(definition, set, context)
        .iter()
        .flat_map(|run| run.chunks(most))
        .filter_map(Batch::of)
        .collect()
}

/// The longest runs of partitions without a gap, each in the definition's order.
fn neighbours(
    definition: Option<&PartitionsDefinition>,
    set: &PartitionSet,
    context: &PartitionContext,
) -> Vec<Vec<u64>> {
    match definition {
        Some(PartitionsDefinition::Multi(multi)) => rows(multi, set, context),
        Some(definition @ PartitionsDefinition::Dynamic(_)) => {
            along(&definition.all(context), set, Some)
        }
        _ => set.ranges().map(Iterator::collect).collect(),
    }
}

/// Walks the ordinals that exist, and cuts where one of them is not in the set.
fn along(
    existing: &PartitionSet,
    set: &PartitionSet,
    place: impl Fn(u64) -> Option<u64>,
) -> Vec<Vec<u64>> {
    let mut runs = Vec::new();
    let mut run = Vec::new();
    for ordinal in existing.iter() {
        match place(ordinal).filter(|ordinal| set.contains(*ordinal)) {
            Some(ordinal) => run.push(ordinal),
            None if run.is_empty() => {}
            None => runs.push(std::mem::take(&mut run)),
        }
    }
    runs.push(run);
    runs.retain(|run| !run.is_empty());
    runs
}

fn rows(multi: &MultiPartitions, set: &PartitionSet, context: &PartitionContext) -> Vec<Vec<u64>> {
    let count = multi.dimensions().len();
    let touched: Vec<PartitionSet> = (0..count).map(|place| multi.project(set, place)).collect();
    let Some(running) = running_dimension(multi, &touched) else {
        return Vec::new();
    };
    let Some((_, dimension)) = multi.dimensions().nth(running) else {
        return Vec::new();
    };
    let existing = dimension.all(context);
    let mut fixed: Vec<Vec<u64>> = vec![Vec::with_capacity(count)];
    for (place, touched) in touched.iter().enumerate() {
        let choices: Vec<u64> = if place == running {
            vec![0]
        } else {
            touched.iter().collect()
        };
        fixed = fixed
            .into_iter()
            .flat_map(|row| {
                choices.iter().map(move |choice| {
                    let mut row = row.clone();
                    row.push(*choice);
                    row
                })
            })
            .collect();
    }
    fixed
        .into_iter()
        .flat_map(|row| {
            along(&existing, set, |ordinal| {
                let mut place = row.clone();
                place[running] = ordinal;
                multi.ordinal_of(&place)
            })
        })
        .collect()
}

/// The dimension along which batches run: the other ones are held fixed. Dagster holds the primary
/// dimension (time, or else the first) fixed unless the other has fewer keys.
fn running_dimension(multi: &MultiPartitions, touched: &[PartitionSet]) -> Option<usize> {
    let primary = multi
        .time_dimension()
        .and_then(|(name, _)| multi.position(name))
        .unwrap_or(0);
    let others = || (0..touched.len()).filter(|place| *place != primary);
    let widest = others().max_by_key(|place| touched[*place].len())?;
    if touched[primary].len() <= touched[widest].len() {
        Some(widest)
    } else {
        Some(primary)
    }
}
