//! Bitmap rows: many bits are set with few writes, and no concurrent change is lost.

use std::collections::BTreeMap;

use precip_engine::state::{ReadConsistency, Segment, StateResult};

use super::super::{
    call::{Guard, Op, REQUESTS_AT_ONCE, Table},
    codec::{pack_segment, unpack_segment},
    item::{Attributes, Item, build_item, number_value},
    keys::Key,
};
use futures::{StreamExt, TryStreamExt, stream};

/// The new value of a bit in one of a row's bitmaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bit {
    /// The attribute that holds the bitmap.
    pub(super) set: &'static str,
    pub(super) ordinal: u64,
    pub(super) value: bool,
}

/// A bitmap row as it was read. It is written back only if its revision is unchanged.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct BitRow {
    revision: u64,
    pub(super) sets: BTreeMap<&'static str, Segment>,
}

/// The attributes that hold bitmaps: materialized, failed, skipped, and the one set of a progress row.
const SETS: [&str; 4] = ["m", "f", "s", "b"];

impl BitRow {
    pub(super) fn from_row(row: Option<&Item>) -> StateResult<Self> {
        let Some(row) = row else {
            return Ok(Self::default());
        };
        let mut sets = BTreeMap::new();
        for set in SETS {
            let segment = unpack_segment(row, set)?;
            if !segment.is_empty() {
                sets.insert(set, segment);
            }
        }
        Ok(Self {
            revision: row.number("rev").unwrap_or_default(),
            sets,
        })
    }

    /// Returns the write that replaces this row's bitmaps.
    pub(super) fn replacing_op(&self, key: &Key, sets: &BTreeMap<&'static str, Segment>) -> Op {
        let mut row = build_item(key, [("rev", number_value(self.revision + 1))]);
        for (set, segment) in sets.iter().filter(|(_, segment)| !segment.is_empty()) {
            row.insert((*set).to_owned(), pack_segment(segment));
        }
        Op::Put(row, self.unchanged_guard())
    }

    /// Returns the condition that the row was not written since it was read.
    pub(super) fn unchanged_guard(&self) -> Guard {
        match self.revision {
            0 => Guard::with_condition("attribute_not_exists(rev)"),
            revision => {
                Guard::with_condition("rev = :rev").with_value(":rev", number_value(revision))
            }
        }
    }

    /// Sets bits; returns `true` if any of them changed.
    fn set_bits(&mut self, bits: &[Bit]) -> bool {
        let mut changed = false;
        for bit in bits {
            let segment = self.sets.entry(bit.set).or_default();
            changed |= segment.set_bit(bit.ordinal, bit.value);
        }
        changed
    }
}

impl Table {
    /// Sets bits with one write per row. Rows that already have them are not written.
    pub(super) async fn set_bits(&self, mut open: BTreeMap<Key, Vec<Bit>>) -> StateResult<()> {
        let mut backoff = self.backoff("set status bits");
        // Optimistic concurrency: a row that another projector wrote in the meantime is refused, stays
        // in `open`, and is read and merged again.
        while !open.is_empty() {
            let keys = open.keys().cloned();
            let rows = self.get_many(keys, ReadConsistency::Strong).await?;
            let mut writes = Vec::new();
            for (key, bits) in &open {
                // A row that has the bits already is done without a write.
                let before = BitRow::from_row(rows.get(key))?;
                let mut after = before.clone();
                if after.set_bits(bits) {
                    writes.push((key.clone(), before.replacing_op(key, &after.sets)));
                }
            }
            let outcomes: Vec<Option<Key>> = stream::iter(writes)
                .map(|(key, write)| async move {
                    let written = self.write_op(write).await?;
                    StateResult::Ok((!written.is_done()).then_some(key))
                })
                .buffer_unordered(REQUESTS_AT_ONCE)
                .try_collect()
                .await?;
            let refused: Vec<Key> = outcomes.into_iter().flatten().collect();
            open.retain(|key, _| refused.contains(key));
            if !open.is_empty() {
                backoff.wait().await?;
            }
        }
        Ok(())
    }
}
