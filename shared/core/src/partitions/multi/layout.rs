//! How the ordinals of several dimensions make one: a mixed-radix number whose digits never move.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use super::InvalidMultiPartitions;
use crate::partitions::{PartitionSet, PartitionsDefinition};

/// Ordinals stay below `1 << ORDINAL_BITS`.
const ORDINAL_BITS: u32 = 62;
/// The room that a growing dimension gets where it cannot be the slowest digit.
const GROWING_BITS: u32 = 32;
/// The most combinations that the dimensions of fixed size may have.
const FIXED_LIMIT: u64 = 1 << 32;

/// One digit: its weight, and how many values it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Digit {
    /// The dimension's place in the order of names.
    pub(super) position: usize,
    pub(super) stride: u64,
    pub(super) radix: u64,
}

/// The digits, fastest first.
///
/// Dimensions of fixed size are the fastest, the last by name first. Of those that grow (windows,
/// dynamic keys) one is the slowest digit and has all the room that is left; any others get a fixed
/// capacity between, so that they can grow without moving anything. Dynamic dimensions go slower
/// than windows, because a run of windows under one key is then a run of ordinals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    digits: Vec<Digit>,
    /// Whether the order of ordinals is the order of names.
    ordered: bool,
}

impl Layout {
    pub(super) fn of(
        dimensions: &BTreeMap<String, Arc<PartitionsDefinition>>,
    ) -> Result<Self, InvalidMultiPartitions> {
        // Slowness, then name: sorted backwards that is from the fastest digit to the slowest.
        let mut places: Vec<(u8, usize, Option<u64>)> = dimensions
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
        places.sort_unstable_by(|a, b| b.cmp(a));

        let fixed = places
            .iter()
            .filter_map(|(_, _, radix)| *radix)
            .try_fold(1u64, u64::checked_mul)
            .filter(|&fixed| fixed <= FIXED_LIMIT)
            .ok_or(InvalidMultiPartitions::TooManyCombinations { limit: FIXED_LIMIT })?;
        let growing = places
            .iter()
            .filter(|(_, _, radix)| radix.is_none())
            .count();
        let spare_bits = ORDINAL_BITS - fixed.next_power_of_two().ilog2();
        let capacity = 1u64 << GROWING_BITS.min(spare_bits / growing.max(1) as u32);

        let mut stride = 1u64;
        let mut digits = Vec::with_capacity(places.len());
        for (place, (_, position, radix)) in places.iter().enumerate() {
            let slowest_grows = radix.is_none() && place + 1 == places.len();
            let room = (1u64 << ORDINAL_BITS) / stride;
            let radix = if slowest_grows {
                room
            } else {
                radix.unwrap_or(capacity)
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

    pub(super) fn join(&self, ordinals: &[u64]) -> Option<u64> {
        let mut ordinal = 0;
        for digit in &self.digits {
            let value = *ordinals
                .get(digit.position)
                .filter(|&&value| value < digit.radix)?;
            ordinal += value * digit.stride;
        }
        Some(ordinal)
    }

    pub(super) fn split(&self, ordinal: u64) -> Option<Vec<u64>> {
        let mut ordinals = vec![0; self.digits.len()];
        for digit in &self.digits {
            ordinals[digit.position] = ordinal / digit.stride % digit.radix;
        }
        (self.join(&ordinals) == Some(ordinal)).then_some(ordinals)
    }

    pub(super) fn project(&self, set: &PartitionSet, position: usize) -> PartitionSet {
        let digit = *self
            .digits
            .iter()
            .find(|digit| digit.position == position)
            .expect("the position of a dimension");
        let mut values = PartitionSet::empty();
        for run in set.ranges() {
            let (first, last) = (run.start / digit.stride, (run.end - 1) / digit.stride);
            if last - first + 1 >= digit.radix {
                return PartitionSet::from(0..digit.radix);
            }
            let (first, last) = (first % digit.radix, last % digit.radix);
            if first <= last {
                values.insert_range(first..last + 1);
            } else {
                values.insert_range(first..digit.radix);
                values.insert_range(0..last + 1);
            }
        }
        values
    }

    pub(super) fn product(&self, sets: &[PartitionSet]) -> PartitionSet {
        assert_eq!(sets.len(), self.digits.len(), "one set for each dimension");
        if sets.iter().any(PartitionSet::is_empty) {
            return PartitionSet::empty();
        }
        let mut runs: Vec<Range<u64>> = std::iter::once(0..1).collect();
        for digit in &self.digits {
            let set = &sets[digit.position];
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

    /// The ordinals of a set in the order in which the keys are enumerated.
    pub(super) fn in_order_of_names<'a>(
        &'a self,
        set: &'a PartitionSet,
    ) -> Box<dyn Iterator<Item = u64> + 'a> {
        if self.ordered {
            return Box::new(set.iter());
        }
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
