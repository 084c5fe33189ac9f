//! The update log: which partitions were published, in the order in which the projection saw it.
//!
//! A row holds the updates of one batch of the stream. Its number is greater than any before it for the
//! asset, which a condition on the log's head keeps true for writers that race; so who asks from the
//! last number that it was given misses nothing, whatever the clocks said. Rows expire after 30 days:
//! who asks from before that is answered every partition that is materialized.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use precip_core::{key::AssetKey, partitions::PartitionSet};
use precip_engine::state::{MaterializationStore, ReadConsistency, Sequence, StateResult, Updates};

use super::{
    call::{Guard, Op, Patience, Query, Transacted},
    codec::{pack, unpack},
    item::{Attributes, Item, bytes, item, number},
    keys,
    store::DynamoStore,
};

const KEPT: TimeDelta = TimeDelta::days(30);

/// So many rows are searched for an update that comes a second time. A batch that is delivered again
/// comes at once, so that few others lie between.
const SEARCHED: usize = 8;

/// One partition was published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Update {
    /// The stamp it was published with: the update's identity.
    pub(super) stamp: u64,
    pub(super) ordinal: u64,
}

fn stamps(row: &Item) -> impl Iterator<Item = u64> {
    let stamps = row.bytes("i").unwrap_or_default();
    stamps
        .as_chunks()
        .0
        .iter()
        .map(|stamp| u64::from_be_bytes(*stamp))
}

/// The partitions of a row.
pub(super) fn partitions(row: &Item) -> StateResult<PartitionSet> {
    unpack(row, "s", "the updates")
}

impl DynamoStore {
    /// Adds updates to the log of an asset, each once.
    pub(super) async fn log_updates(
        &self,
        asset: &AssetKey,
        updates: &[Update],
        generation: u64,
    ) -> StateResult<()> {
        let mut patience = Patience::new("log updates");
        loop {
            let head = keys::updates_head(asset);
            let last = self.table.get(&head, ReadConsistency::Strong).await?;
            let last: u64 = last.and_then(|head| head.number("n")).unwrap_or_default();
            let query = Query::all(keys::updates_pk(asset)).prefix("n#");
            let rows = self
                .table
                .query(query.newest_first().limit(SEARCHED))
                .await?;
            let known: BTreeSet<u64> = rows.iter().flat_map(stamps).collect();
            let fresh: BTreeSet<Update> = updates
                .iter()
                .copied()
                .filter(|update| !known.contains(&update.stamp))
                .collect();
            let Some(greatest) = fresh.last() else {
                return Ok(());
            };
            let next = greatest.stamp.max(last + 1);
            let set: PartitionSet = fresh.iter().map(|update| update.ordinal).collect();
            let ids: Vec<u8> = fresh
                .iter()
                .flat_map(|update| update.stamp.to_be_bytes())
                .collect();
            let row = item(
                &keys::update(asset, next),
                [
                    ("s", pack(&set, || format!("the updates of {asset}"))?),
                    ("i", bytes(ids)),
                    ("p", number(last)),
                    ("g", number(generation)),
                    ("ttl", number(self.stamps.expiry(KEPT))),
                ],
            );
            let unchanged = match last {
                0 => Guard::when("attribute_not_exists(n)"),
                last => Guard::when("n = :last").value(":last", number(last)),
            };
            let ops = vec![
                Op::Put(item(&head, [("n", number(next))]), unchanged),
                Op::Put(row, Guard::none()),
            ];
            if self.table.transact(ops).await? == Transacted::Done {
                return Ok(());
            }
            patience.wait().await?;
        }
    }

    async fn update_rows(&self, asset: &AssetKey, after: Sequence) -> StateResult<Vec<Item>> {
        let query = Query::all(keys::updates_pk(asset)).prefix("n#");
        let after = keys::update_sk(after.0);
        self.table.query(query.after(Some(after))).await
    }

    pub(super) async fn updates_after(
        &self,
        asset: &AssetKey,
        after: Sequence,
    ) -> StateResult<Updates> {
        let mut rows = self.update_rows(asset, after).await?;
        let mut previous = after.0;
        if rows.is_empty() {
            let head = keys::updates_head(asset);
            let head = self.table.get(&head, ReadConsistency::Strong).await?;
            previous = head.and_then(|head| head.number("n")).unwrap_or(after.0);
            if previous > after.0 {
                // Either they have expired, or one was added just now.
                rows = self.update_rows(asset, after).await?;
            }
        }
        if let Some(first) = rows.first() {
            previous = first.number("p").unwrap_or_default();
        }
        let until = rows
            .last()
            .and_then(|row| row.key().sk.strip_prefix("n#")?.parse().ok())
            .unwrap_or(previous)
            .max(after.0);
        let mut updates = Updates {
            partitions: PartitionSet::empty(),
            until: Sequence(until),
        };
        if previous > after.0 {
            // What lies between has expired.
            updates.partitions = self.statuses(asset).await?.materialized;
        }
        for row in &rows {
            updates.partitions |= &partitions(row)?;
        }
        Ok(updates)
    }
}
