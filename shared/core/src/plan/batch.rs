//! [`Batch`]: the partitions that one invocation materializes together.

use crate::{
    partitions::{MultiPartitions, PartitionContext, PartitionSet, PartitionsDefinition},
    spec::BackfillPolicy,
};

/// The partitions that one invocation materializes together: contiguous in their definition's
/// order.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// The first ordinal in the definition's order.
    pub first: u64,
    /// The last ordinal in the definition's order.
    pub last: u64,
    /// Every partition of the batch, by ordinal.
    pub partitions: PartitionSet,
}

impl Batch {
    fn from_ordinals(ordinals: &[u64]) -> Option<Self> {
        Some(Self {
            first: *ordinals.first()?,
            last: *ordinals.last()?,
            partitions: ordinals.iter().copied().collect(),
        })
    }
}

/// Divides partitions into batches by a backfill policy. As in Dagster, a batch is contiguous, so
/// that its first and last key name it: a gap ends a batch even where the policy would take all
/// partitions at once. In a multi-dimensional definition, batches run along the dimension with more
/// keys in the set.
///
/// An unpartitioned asset (`definition` is `None`) is one batch.
pub fn divide_into_batches(
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
    contiguous_runs(definition, set, context)
        .iter()
        .flat_map(|run| run.chunks(most))
        .filter_map(Batch::from_ordinals)
        .collect()
}

/// Returns the longest runs of partitions without a gap, each in the definition's order.
fn contiguous_runs(
    definition: Option<&PartitionsDefinition>,
    set: &PartitionSet,
    context: &PartitionContext,
) -> Vec<Vec<u64>> {
    match definition {
        Some(PartitionsDefinition::Multi(multi)) => multi_runs(multi, set, context),
        Some(definition @ PartitionsDefinition::Dynamic(_)) => {
            split_runs(&definition.all(context), set, Some)
        }
        _ => set.ranges().map(Iterator::collect).collect(),
    }
}

/// Divides the existing ordinals of a dimension into runs, ending a run at each ordinal that is not
/// in the set. `to_ordinal` translates an ordinal of the dimension into one of the definition.
fn split_runs(
    existing: &PartitionSet,
    set: &PartitionSet,
    to_ordinal: impl Fn(u64) -> Option<u64>,
) -> Vec<Vec<u64>> {
    let mut runs = Vec::new();
    let mut run = Vec::new();
    for ordinal in existing.iter() {
        match to_ordinal(ordinal).filter(|ordinal| set.contains(*ordinal)) {
            Some(ordinal) => run.push(ordinal),
            None if run.is_empty() => {}
            None => runs.push(std::mem::take(&mut run)),
        }
    }
    runs.push(run);
    runs.retain(|run| !run.is_empty());
    runs
}

/// Returns the contiguous runs of a multi-dimensional definition: one dimension varies within a
/// run, the others are fixed.
fn multi_runs(
    multi: &MultiPartitions,
    set: &PartitionSet,
    context: &PartitionContext,
) -> Vec<Vec<u64>> {
    let count = multi.dimensions().len();
    let touched: Vec<PartitionSet> = (0..count).map(|index| multi.project(set, index)).collect();
    let Some(running) = running_dimension(multi, &touched) else {
        return Vec::new();
    };
    let Some((_, dimension)) = multi.dimensions().nth(running) else {
        return Vec::new();
    };
    let existing = dimension.all(context);
    // The cross product of the other dimensions' keys, with a zero where the running one goes.
    let mut fixed: Vec<Vec<u64>> = vec![Vec::with_capacity(count)];
    for (index, touched) in touched.iter().enumerate() {
        let choices: Vec<u64> = if index == running {
            vec![0]
        } else {
            touched.iter().collect()
        };
        fixed = fixed
            .into_iter()
            .flat_map(|row| {
                choices.iter().map(move |choice| {
                    let mut extended = row.clone();
                    extended.push(*choice);
                    extended
                })
            })
            .collect();
    }
    fixed
        .into_iter()
        .flat_map(|row| {
            split_runs(&existing, set, |ordinal| {
                let mut coordinates = row.clone();
                coordinates[running] = ordinal;
                multi.ordinal_of(&coordinates)
            })
        })
        .collect()
}

/// Returns the dimension that varies within a batch. Dagster keeps the primary dimension (time, or
/// else the first) fixed unless the other one has fewer keys.
fn running_dimension(multi: &MultiPartitions, touched: &[PartitionSet]) -> Option<usize> {
    let primary = multi
        .time_dimension()
        .and_then(|(name, _)| multi.position(name))
        .unwrap_or(0);
    let others = (0..touched.len()).filter(|index| *index != primary);
    let widest = others.max_by_key(|index| touched[*index].len())?;
    if touched[primary].len() <= touched[widest].len() {
        Some(widest)
    } else {
        Some(primary)
    }
}
