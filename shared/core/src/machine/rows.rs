//! [`rows`]: items in the rows of a manifest.

use serde::{Deserialize, Serialize};

use crate::machine::Item;

/// How many items one row holds at most: as many as an inline Map works on at once. One child
/// execution takes a row, so a partition costs 1/40 of a child's start.
pub const ITEMS_PER_ROW: usize = 40;

/// One row of a stage's manifest: what one child execution works on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row<T = Item> {
    /// The items.
    pub items: Vec<T>,
}

/// Puts items in rows. Unless they have to stay `in_order`, neighbours go to different rows: what
/// runs at the same time then lies far apart in time, and does not meet at one key of a table.
pub fn rows<T>(items: Vec<T>, in_order: bool) -> Vec<Vec<T>> {
    let count = items.len().div_ceil(ITEMS_PER_ROW);
    let mut rows: Vec<Vec<T>> = (0..count).map(|_| Vec::new()).collect();
    for (place, item) in items.into_iter().enumerate() {
        let row = if in_order {
            place / ITEMS_PER_ROW
        } else {
            place % count
        };
        rows[row].push(item);
    }
    rows
}
