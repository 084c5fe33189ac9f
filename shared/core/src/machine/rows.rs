//! The rows of a stage's manifest.

use serde::{Deserialize, Serialize};

use crate::machine::Item;

/// The largest number of items in a row: as many as an inline Map runs concurrently. One child
/// execution takes a row, so that an item costs 1/40 of a child's start.
pub const ITEMS_PER_ROW: usize = 40;

/// One row of a stage's manifest: the work of one child execution.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row<T = Item> {
    /// The items.
    pub items: Vec<T>,
}

/// Divides items into rows of at most `most` items. Unless they have to stay `in_order`, neighbours go to
/// different rows: partitions that run at the same time are then far apart in time, and do not write to one
/// key of a table.
pub fn divide_into_rows<T>(items: Vec<T>, most: usize, in_order: bool) -> Vec<Vec<T>> {
    let count = items.len().div_ceil(most);
    let mut rows: Vec<Vec<T>> = (0..count).map(|_| Vec::new()).collect();
    for (index, item) in items.into_iter().enumerate() {
        let row = if in_order {
            index / most
        } else {
            index % count
        };
        rows[row].push(item);
    }
    rows
}
