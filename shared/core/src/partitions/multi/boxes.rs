//! The decomposition of a multi-dimensional set into products of sets of its dimensions.

use std::collections::HashMap;
use std::ops::Range;

use super::layout::{Digit, Layout};
use crate::partitions::PartitionSet;

/// A product of sets, one for each dimension, in the order of dimension names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionBox {
    /// The ordinals of each dimension.
    pub sides: Vec<PartitionSet>,
}

/// Splits a set into disjoint boxes.
pub(super) fn split_into_boxes(layout: &Layout, set: &PartitionSet) -> Vec<PartitionBox> {
    let runs: Vec<Range<u64>> = set.ranges().collect();
    let mut boxes = Vec::new();
    let mut sides = vec![PartitionSet::empty(); layout.digits().len()];
    split_digits(layout.digits(), &runs, &mut sides, &mut boxes);
    boxes
}

/// Splits along the slowest digit: values with the same lower ordinals share a box.
fn split_digits(
    digits: &[Digit],
    runs: &[Range<u64>],
    sides: &mut Vec<PartitionSet>,
    boxes: &mut Vec<PartitionBox>,
) {
    let Some((slowest, faster)) = digits.split_last() else {
        boxes.push(PartitionBox {
            sides: sides.clone(),
        });
        return;
    };
    // `sides` holds the path from the slowest digit; faster digits overwrite their own positions.
    for (lower, values) in group_values(*slowest, runs) {
        sides[slowest.position] = values;
        split_digits(faster, &lower, sides, boxes);
    }
}

/// Groups the values of a digit by their lower ordinals, in order of first appearance.
fn group_values(digit: Digit, runs: &[Range<u64>]) -> Vec<(Vec<Range<u64>>, PartitionSet)> {
    let stride = digit.stride;
    let mut groups: Vec<(Vec<Range<u64>>, PartitionSet)> = Vec::new();
    let mut indexes: HashMap<Vec<Range<u64>>, usize> = HashMap::new();
    let mut add_to_group = |lower: Vec<Range<u64>>, values: Range<u64>| {
        let index = *indexes.entry(lower).or_insert_with_key(|lower| {
            groups.push((lower.clone(), PartitionSet::empty()));
            groups.len() - 1
        });
        groups[index].1.insert_range(values);
    };

    // The runs of the current value, collected until the next value begins.
    let mut open: Option<(u64, Vec<Range<u64>>)> = None;
    for run in runs {
        let mut start = run.start;
        while start < run.end {
            let value = start / stride;
            let base = value * stride;
            // Values that a run covers completely are added at once.
            if start == base && run.end - start >= stride {
                let whole = (run.end - start) / stride;
                add_to_group(std::iter::once(0..stride).collect(), value..value + whole);
                start += whole * stride;
                continue;
            }
            let end = run.end.min(base + stride);
            match &mut open {
                Some((open_value, lower)) if *open_value == value => {
                    lower.push(start - base..end - base)
                }
                _ => {
                    if let Some((open_value, lower)) = open.take() {
                        add_to_group(lower, open_value..open_value + 1);
                    }
                    open = Some((value, std::iter::once(start - base..end - base).collect()));
                }
            }
            start = end;
        }
    }
    if let Some((open_value, lower)) = open {
        add_to_group(lower, open_value..open_value + 1);
    }
    groups
}
