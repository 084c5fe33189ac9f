//! A set of a multi-dimensional definition as products of sets of its dimensions.

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

pub(super) fn decompose(layout: &Layout, set: &PartitionSet) -> Vec<PartitionBox> {
    let runs: Vec<Range<u64>> = set.ranges().collect();
    let mut boxes = Vec::new();
    let mut sides = vec![PartitionSet::empty(); layout.digits().len()];
    cut(layout.digits(), &runs, &mut sides, &mut boxes);
    boxes
}

/// Cuts along the slowest digit: values under which the same lower ordinals lie share a box.
fn cut(
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
    for (lower, values) in group(*slowest, runs) {
        sides[slowest.position] = values;
        cut(faster, &lower, sides, boxes);
    }
}

/// Lower ordinals to the values of the digit that they lie under, in order of first appearance.
fn group(digit: Digit, runs: &[Range<u64>]) -> Vec<(Vec<Range<u64>>, PartitionSet)> {
    let stride = digit.stride;
    let mut groups: Vec<(Vec<Range<u64>>, PartitionSet)> = Vec::new();
    let mut places: HashMap<Vec<Range<u64>>, usize> = HashMap::new();
    let mut put = |lower: Vec<Range<u64>>, values: Range<u64>| {
        let place = *places.entry(lower).or_insert_with_key(|lower| {
            groups.push((lower.clone(), PartitionSet::empty()));
            groups.len() - 1
        });
        groups[place].1.insert_range(values);
    };

    let mut open: Option<(u64, Vec<Range<u64>>)> = None;
    for run in runs {
        let mut start = run.start;
        while start < run.end {
            let value = start / stride;
            let base = value * stride;
            if start == base && run.end - start >= stride {
                let whole = (run.end - start) / stride;
                put(std::iter::once(0..stride).collect(), value..value + whole);
                start += whole * stride;
                continue;
            }
            let end = run.end.min(base + stride);
            match &mut open {
                Some((under, lower)) if *under == value => lower.push(start - base..end - base),
                _ => {
                    if let Some((under, lower)) = open.take() {
                        put(lower, under..under + 1);
                    }
                    open = Some((value, std::iter::once(start - base..end - base).collect()));
                }
            }
            start = end;
        }
    }
    if let Some((under, lower)) = open {
        put(lower, under..under + 1);
    }
    groups
}
