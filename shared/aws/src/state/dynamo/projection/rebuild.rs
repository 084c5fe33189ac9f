//! Rebuilding of status bitmaps from the latest rows.

use std::collections::BTreeMap;

use precip_core::key::AssetKey;
use precip_engine::state::{ReadConsistency, Segment, StateResult};

use super::{
    super::{
        call::{Op, Query},
        item::Attributes,
        keys::{self, Key},
        row::Row,
    },
    apply::Projector,
    bits::BitRow,
};

type Sets = BTreeMap<&'static str, Segment>;

/// Computes the bitmaps of rows that are numbered by a generation.
fn compute_bitmaps(asset: &AssetKey, generation: u64, rows: &[Row]) -> BTreeMap<Key, Sets> {
    let mut bitmaps: BTreeMap<Key, Sets> = BTreeMap::new();
    for row in rows {
        let Some(ordinal) = row.ordinal else { continue };
        let key = keys::statuses_row(asset, generation, Segment::index(ordinal));
        let sets = bitmaps.entry(key).or_default();
        if row.published.is_some() {
            sets.entry("m").or_default().set_bit(ordinal, true);
        }
        if row.is_failed() {
            sets.entry("f").or_default().set_bit(ordinal, true);
        }
        if row.is_skipped() {
            sets.entry("s").or_default().set_bit(ordinal, true);
        }
    }
    bitmaps.retain(|_, sets| !sets.is_empty());
    bitmaps
}

impl Projector {
    /// Rebuilds the status bitmaps of an asset from its latest rows, for a table that was restored or
    /// whose stream was not read for longer than it keeps its records (24 hours). Other work may go on
    /// at the same time: a bitmap that is written meanwhile is rebuilt again.
    ///
    /// Reads every latest row of the asset.
    ///
    /// # Errors
    /// As every call of the port; `Retry` when the asset is written too often for it to finish.
    pub async fn rebuild_statuses(&self, asset: &AssetKey) -> StateResult<()> {
        let table = &self.store.table;
        let mut backoff = self.store.table.backoff("rebuild the status bitmaps");
        loop {
            let head = keys::statuses_head_row(asset);
            let head = table.get_row(&head, ReadConsistency::Strong).await?;
            let generation = head.and_then(|head| head.number("g")).unwrap_or_default();
            // The bitmaps are read before the rows: a bit that is set between the two changes the
            // revision, so the write is refused rather than overwriting it.
            let query = Query::rows_of(keys::statuses_pk(asset)).with_prefix("s#");
            let stored = table.query_rows(query).await?;
            let mut wanted = compute_bitmaps(asset, generation, &self.store.all_rows(asset).await?);
            let mut refused = false;
            // Stored bitmaps are corrected or deleted; wanted ones that are left are new.
            for row in &stored {
                let key = row.key();
                let before = BitRow::from_row(Some(row))?;
                let op = match wanted.remove(&key) {
                    Some(sets) if sets == before.sets => continue,
                    Some(sets) => before.replacing_op(&key, &sets),
                    None => Op::Delete(key, before.unchanged_guard()),
                };
                refused |= !table.write_op(op).await?.is_done();
            }
            for (key, sets) in wanted {
                let op = BitRow::default().replacing_op(&key, &sets);
                refused |= !table.write_op(op).await?.is_done();
            }
            if !refused {
                return Ok(());
            }
            // Some row was written meanwhile: everything is computed again.
            backoff.wait().await?;
        }
    }
}
