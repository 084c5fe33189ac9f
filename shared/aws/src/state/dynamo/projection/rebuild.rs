//! Status bitmaps, made again from the latest rows.

use std::collections::BTreeMap;

use precip_core::key::AssetKey;
use precip_engine::state::{ReadConsistency, Segment, StateResult};

use super::{
    super::{
        call::{Op, Patience, Query},
        item::Attributes,
        keys::{self, Key},
        row::Row,
    },
    apply::Projector,
    bits::BitRow,
};

type Sets = BTreeMap<&'static str, Segment>;

/// The bitmaps of rows that are numbered by a generation.
fn bitmaps(asset: &AssetKey, generation: u64, rows: &[Row]) -> BTreeMap<Key, Sets> {
    let mut bitmaps: BTreeMap<Key, Sets> = BTreeMap::new();
    for row in rows {
        let Some(ordinal) = row.ordinal else { continue };
        let key = keys::statuses(asset, generation, Segment::index(ordinal));
        let sets = bitmaps.entry(key).or_default();
        if row.published.is_some() {
            sets.entry("m").or_default().set(ordinal, true);
        }
        if row.failure().is_some() {
            sets.entry("f").or_default().set(ordinal, true);
        }
    }
    bitmaps.retain(|_, sets| !sets.is_empty());
    bitmaps
}

impl Projector {
    /// Makes the status bitmaps of an asset again from its latest rows, for a table that was restored
    /// or whose stream was not read for longer than it keeps its records (24 hours). May run beside
    /// everything else: a bitmap that is written meanwhile is made again.
    ///
    /// Reads every latest row of the asset.
    ///
    /// # Errors
    /// As every call of the port; `Retry` when the asset is written so much that it does not come to
    /// an end.
    pub async fn rebuild(&self, asset: &AssetKey) -> StateResult<()> {
        let table = &self.store.table;
        let mut patience = Patience::new("make the status bitmaps again");
        loop {
            let head = keys::statuses_head(asset);
            let head = table.get(&head, ReadConsistency::Strong).await?;
            let generation = head.and_then(|head| head.number("g")).unwrap_or_default();
            // The bitmaps are read before the rows, so that a bit that is set between the two is not
            // overwritten: the write is refused then.
            let query = Query::all(keys::statuses_pk(asset)).prefix("s#");
            let stored = table.query(query).await?;
            let mut wanted = bitmaps(asset, generation, &self.store.rows(asset).await?);
            let mut refused = false;
            for row in &stored {
                let key = row.key();
                let before = BitRow::of(Some(row))?;
                let op = match wanted.remove(&key) {
                    Some(sets) if sets == before.sets => continue,
                    Some(sets) => before.replace(&key, &sets),
                    None => Op::Delete(key, before.unchanged()),
                };
                refused |= !table.write(op).await?.is_done();
            }
            for (key, sets) in wanted {
                let op = BitRow::default().replace(&key, &sets);
                refused |= !table.write(op).await?.is_done();
            }
            if !refused {
                return Ok(());
            }
            patience.wait().await?;
        }
    }
}
