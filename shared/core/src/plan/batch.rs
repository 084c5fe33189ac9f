//! [`Batch`]: the partitions that one invocation materializes together.

use crate::{
    partitions::{MultiPartitions, PartitionContext, PartitionSet, PartitionsDefinition},
    spec::BackfillPolicy,
};

/// The partitions that one invocation materializes together: contiguous in their definition's
/// order; for several dimensions, a product of contiguous keys of each.
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

    /// Creates the batch of a product, of which each side holds a dimension's ordinals in order.
    fn from_sides(multi: &MultiPartitions, sides: &[Vec<u64>]) -> Option<Self> {
        let firsts: Option<Vec<u64>> = sides.iter().map(|side| side.first().copied()).collect();
        let lasts: Option<Vec<u64>> = sides.iter().map(|side| side.last().copied()).collect();
        let sets: Vec<PartitionSet> = sides
            .iter()
            .map(|side| side.iter().copied().collect())
            .collect();
        Some(Self {
            first: multi.ordinal_of(&firsts?)?,
            last: multi.ordinal_of(&lasts?)?,
            partitions: multi.product(&sets),
        })
    }
}

/// Divides partitions into batches by a backfill policy. A batch is contiguous, so that its first and
/// last key name it: a gap ends a batch even where the policy would take all partitions at once.
///
/// With several dimensions a batch is a product of contiguous keys of each dimension, which its first
/// and last key name too: three days of three kinds without a gap are one batch. Partitions that are
/// no product are divided into several: those with the same keys in the other dimensions together,
/// or one batch for each run along one dimension if those are fewer. Dagster's batches always vary in
/// one dimension only.
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
    let runs = match definition {
        Some(PartitionsDefinition::Multi(multi)) => {
            let products = divide_into_products(multi, set, most, context);
            let rows = divide_runs(&multi_runs(multi, set, context), most);
            return if products.len() <= rows.len() {
                products
            } else {
                rows
            };
        }
        Some(definition @ PartitionsDefinition::Dynamic(_)) => {
            split_runs(&definition.all(context), set, Some)
        }
        _ => set.ranges().map(Iterator::collect).collect(),
    };
    divide_runs(&runs, most)
}

/// Divides runs of ordinals into batches of at most `most`.
fn divide_runs(runs: &[Vec<u64>], most: usize) -> Vec<Batch> {
    runs.iter()
        .flat_map(|run| run.chunks(most))
        .filter_map(Batch::from_ordinals)
        .collect()
}

/// Divides a multi-dimensional set into products without gaps of at most `most` partitions, in the
/// order of their first keys.
fn divide_into_products(
    multi: &MultiPartitions,
    set: &PartitionSet,
    most: usize,
    context: &PartitionContext,
) -> Vec<Batch> {
    let existing: Vec<PartitionSet> = multi
        .dimensions()
        .map(|(_, dimension)| dimension.all(context))
        .collect();
    let mut batches = Vec::new();
    for part in multi.split_into_boxes(set) {
        // Each side is divided at its gaps, then into blocks of keys.
        let runs: Vec<Vec<Vec<u64>>> = std::iter::zip(&existing, &part.sides)
            .map(|(existing, side)| split_runs(existing, side, Some))
            .collect();
        for sides in combinations(&runs) {
            let lengths: Vec<usize> = sides.iter().map(Vec::len).collect();
            let sizes = block_sizes(&lengths, most);
            let blocks: Vec<Vec<Vec<u64>>> = std::iter::zip(&sides, sizes)
                .map(|(side, size)| side.chunks(size).map(<[u64]>::to_vec).collect())
                .collect();
            let products = combinations(&blocks);
            batches.extend(
                products
                    .iter()
                    .filter_map(|sides| Batch::from_sides(multi, sides)),
            );
        }
    }
    // Ordinals follow time, so that a batch comes after those that it may depend on.
    batches.sort_by_key(|batch| batch.first);
    batches
}

/// Returns the numbers of keys of each dimension in a block of at most `most` partitions, such that
/// few blocks cover the product of `lengths`.
fn block_sizes(lengths: &[usize], most: usize) -> Vec<usize> {
    // Whole dimensions first: shorter ones, or longer ones, whichever makes fewer blocks.
    let fill = |order: &[usize]| {
        let mut sizes = vec![1; lengths.len()];
        let mut room = most.max(1);
        for &dimension in order {
            sizes[dimension] = lengths[dimension].min(room).max(1);
            room /= sizes[dimension];
        }
        sizes
    };
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|dimension| lengths[*dimension]);
    let rising = fill(&order);
    order.reverse();
    let falling = fill(&order);
    let blocks = |sizes: &[usize]| -> usize {
        std::iter::zip(lengths, sizes)
            .map(|(length, size)| length.div_ceil(*size))
            .fold(1, usize::saturating_mul)
    };
    if blocks(&rising) <= blocks(&falling) {
        rising
    } else {
        falling
    }
}

/// Returns every combination of one choice for each position, the last position fastest.
fn combinations<T: Clone>(choices: &[Vec<T>]) -> Vec<Vec<T>> {
    let mut rows: Vec<Vec<T>> = vec![Vec::with_capacity(choices.len())];
    for choices in choices {
        rows = rows
            .iter()
            .flat_map(|row| {
                choices.iter().map(|choice| {
                    let mut extended = row.clone();
                    extended.push(choice.clone());
                    extended
                })
            })
            .collect();
    }
    rows
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
    let choices: Vec<Vec<u64>> = touched
        .iter()
        .enumerate()
        .map(|(index, touched)| {
            if index == running {
                vec![0]
            } else {
                touched.iter().collect()
            }
        })
        .collect();
    let fixed = combinations(&choices);
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

#[cfg(test)]
mod tests;
