//! The ordinals of a multi-dimensional definition: mixed-radix numbers whose digits never move.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use super::InvalidMultiPartitions;
use crate::partitions::{PartitionSet, PartitionsDefinition};

/// Ordinals stay below `1 << ORDINAL_BITS`.
const ORDINAL_BITS: u32 = 62;
/// The capacity, in bits, of a growing dimension that is not the slowest digit.
const GROWING_BITS: u32 = 32;
/// The greatest number of combinations of the dimensions of fixed size.
const FIXED_LIMIT: u64 = 1 << 32;

/// One digit: its weight, and its number of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Digit {
    /// The dimension's position in the order of names.
    pub(super) position: usize,
    pub(super) stride: u64,
    pub(super) radix: u64,
}

/// The digits, fastest first.
///
/// Dimensions of fixed size are the fastest, the last by name first. Of the growing ones (windows
/// and dynamic keys), one is the slowest digit and has all the remaining capacity; the others get a
/// fixed capacity in between, so that they can grow without moving an ordinal. Dynamic dimensions
/// are slower than windows, because a run of windows under one key is then a run of ordinals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    digits: Vec<Digit>,
    /// True if the order of ordinals is the order of names.
    ordered: bool,
}

impl Layout {
    /// Assigns a digit to each dimension.
    pub(super) fn for_dimensions(
        dimensions: &BTreeMap<String, Arc<PartitionsDefinition>>,
    ) -> Result<Self, InvalidMultiPartitions> {
        // Sorted backwards by slowness and name, which is from the fastest digit to the slowest.
        let mut by_speed: Vec<(u8, usize, Option<u64>)> = dimensions
            .values()
            .enumerate()
            .map(|(position, dimension)| match &**dimension {
                PartitionsDefinition::Static(keys) => (2, position, Some(keys.count().max(1))),
                PartitionsDefinition::TimeWindow(_) => (1, position, None),
                PartitionsDefinition::Dynamic(_) | PartitionsDefinition::Multi(_) => {
                    (0, position, None)
                }
            })
            .collect();
        by_speed.sort_unstable_by(|a, b| b.cmp(a));

        let fixed = by_speed
            .iter()
            .filter_map(|(_, _, radix)| *radix)
            .try_fold(1u64, u64::checked_mul)
            .filter(|&fixed| fixed <= FIXED_LIMIT)
            .ok_or(InvalidMultiPartitions::TooManyCombinations { limit: FIXED_LIMIT })?;
        // The growing dimensions share the bits that the fixed ones leave.
        let growing = by_speed
            .iter()
            .filter(|(_, _, radix)| radix.is_none())
            .count();
        let spare_bits = ORDINAL_BITS - fixed.next_power_of_two().ilog2();
        let capacity = 1u64 << GROWING_BITS.min(spare_bits / growing.max(1) as u32);

        let mut stride = 1u64;
        let mut digits = Vec::with_capacity(by_speed.len());
        for (index, (_, position, fixed_radix)) in by_speed.iter().enumerate() {
            let slowest_grows = fixed_radix.is_none() && index + 1 == by_speed.len();
            let remaining = (1u64 << ORDINAL_BITS) / stride;
            let radix = if slowest_grows {
                remaining
            } else {
                fixed_radix.unwrap_or(capacity)
            };
            digits.push(Digit {
                position: *position,
                stride,
                radix,
            });
            if !slowest_grows {
                stride *= radix;
            }
        }
        let ordered = digits
            .windows(2)
            .all(|pair| pair[0].position > pair[1].position);
        Ok(Self { digits, ordered })
    }

    pub(super) fn digits(&self) -> &[Digit] {
        &self.digits
    }

    /// Returns the ordinal of one value for each dimension, or `None` if a value exceeds its digit.
    pub(super) fn join_values(&self, ordinals: &[u64]) -> Option<u64> {
        let mut ordinal = 0;
        for digit in &self.digits {
            let value = *ordinals
                .get(digit.position)
                .filter(|&&value| value < digit.radix)?;
            ordinal += value * digit.stride;
        }
        Some(ordinal)
    }

    /// Returns the values of an ordinal in the order of names.
    pub(super) fn split_ordinal(&self, ordinal: u64) -> Option<Vec<u64>> {
        let mut ordinals = vec![0; self.digits.len()];
        for digit in &self.digits {
            ordinals[digit.position] = ordinal / digit.stride % digit.radix;
        }
        (self.join_values(&ordinals) == Some(ordinal)).then_some(ordinals)
    }

    /// Returns the values of one dimension that occur in a set.
    pub(super) fn project_values(&self, set: &PartitionSet, position: usize) -> PartitionSet {
        let digit = *self
            .digits
            .iter()
            .find(|digit| digit.position == position)
            .expect("the position of a dimension");
        let mut values = PartitionSet::empty();
        for run in set.ranges() {
            let (start, end) = (run.start / digit.stride, (run.end - 1) / digit.stride);
            if end - start + 1 >= digit.radix {
                return PartitionSet::from(0..digit.radix);
            }
            // A run can wrap around the digit's largest value.
            let (first, last) = (start % digit.radix, end % digit.radix);
            if first <= last {
                values.insert_range(first..last + 1);
            } else {
                values.insert_range(first..digit.radix);
                values.insert_range(0..last + 1);
            }
        }
        values
    }

    /// Returns all combinations of the values of each dimension.
    pub(super) fn multiply_values(&self, sets: &[PartitionSet]) -> PartitionSet {
        assert_eq!(sets.len(), self.digits.len(), "one set for each dimension");
        if sets.iter().any(PartitionSet::is_empty) {
            return PartitionSet::empty();
        }
        let mut runs: Vec<Range<u64>> = std::iter::once(0..1).collect();
        for digit in &self.digits {
            let set = &sets[digit.position];
            // If the faster digits are complete, adjacent values of this one stay a single run.
            let whole = matches!(runs.as_slice(), [run] if *run == (0..digit.stride));
            runs = if whole {
                set.ranges()
                    .map(|run| run.start * digit.stride..run.end * digit.stride)
                    .collect()
            } else {
                set.iter()
                    .flat_map(|value| {
                        let base = value * digit.stride;
                        runs.iter().map(move |run| base + run.start..base + run.end)
                    })
                    .collect()
            };
        }
        runs.into_iter().collect()
    }

    /// Returns the ordinals of a set in the order of the keys.
    pub(super) fn in_order_of_names<'a>(
        &'a self,
        set: &'a PartitionSet,
    ) -> Box<dyn Iterator<Item = u64> + 'a> {
        if self.ordered {
            return Box::new(set.iter());
        }
        // Rank each ordinal by its digits in the order of names.
        let mut by_name: Vec<Digit> = self.digits.clone();
        by_name.sort_unstable_by_key(|digit| digit.position);
        let rank = |ordinal: u64| {
            by_name.iter().fold(0u128, |rank, digit| {
                let value = ordinal / digit.stride % digit.radix;
                rank * u128::from(digit.radix) + u128::from(value)
            })
        };
        let mut ranked: Vec<(u128, u64)> =
            set.iter().map(|ordinal| (rank(ordinal), ordinal)).collect();
        ranked.sort_unstable();
        Box::new(ranked.into_iter().map(|(_, ordinal)| ordinal))
    }
}
