//! The update log: the published partitions, in the order in which the projection saw them.
//!
//! A row holds the updates of one batch of the stream. Its number is greater than any before it for the
//! asset, which a condition on the log's head ensures for racing writers. So a reader that continues from
//! the last number it received misses nothing, whatever the clocks said. Rows expire after 30 days: a
//! reader that continues from before that gets every materialized partition.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use precip_core::{key::AssetKey, partitions::PartitionSet};
use precip_engine::state::{MaterializationStore, ReadConsistency, Sequence, StateResult, Updates};

use super::{
    call::{Guard, Op, Query, TransactOutcome},
    codec::{pack_record, unpack_record},
    item::{Attributes, Item, build_item, bytes_value, number_value},
    keys,
    store::DynamoStore,
};

/// The time after which a row of the log expires.
const RETENTION: TimeDelta = TimeDelta::days(30);

/// Number of rows that are searched for a repeated update. A batch is delivered again right away, so few
/// others come in between.
const SEARCHED: usize = 8;

/// The publication of one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Update {
    /// The stamp of the publication, which identifies the update.
    pub(super) stamp: u64,
    pub(super) ordinal: u64,
}

fn stamps_of(row: &Item) -> impl Iterator<Item = u64> {
    let stamps = row.bytes("i").unwrap_or_default();
    stamps
        .as_chunks()
        .0
        .iter()
        .map(|stamp| u64::from_be_bytes(*stamp))
}

/// Returns the partitions of a row.
pub(super) fn partitions_of_row(row: &Item) -> StateResult<PartitionSet> {
    unpack_record(row, "s", "the updates")
}

impl DynamoStore {
    /// Adds updates to the log of an asset. An update that is in the log already is not added again.
    pub(super) async fn log_updates(
        &self,
        asset: &AssetKey,
        updates: &[Update],
        generation: u64,
    ) -> StateResult<()> {
        let mut backoff = self.table.backoff("log updates");
        loop {
            let head = keys::updates_head_row(asset);
            let head_row = self.table.get_row(&head, ReadConsistency::Strong).await?;
            let last: u64 = head_row
                .and_then(|head| head.number("n"))
                .unwrap_or_default();
            let query = Query::rows_of(keys::updates_pk(asset)).with_prefix("n#");
            let rows = self
                .table
                .query_rows(query.newest_first().with_limit(SEARCHED))
                .await?;
            let known: BTreeSet<u64> = rows.iter().flat_map(stamps_of).collect();
            // Stamps identify updates: those that are in the log are not added again.
            let fresh: BTreeSet<Update> = updates
                .iter()
                .copied()
                .filter(|update| !known.contains(&update.stamp))
                .collect();
            let Some(greatest) = fresh.last() else {
                return Ok(());
            };
            // Usually the stamp itself; one more than the last number if the publisher's clock is behind.
            let next = greatest.stamp.max(last + 1);
            let set: PartitionSet = fresh.iter().map(|update| update.ordinal).collect();
            let ids: Vec<u8> = fresh
                .iter()
                .flat_map(|update| update.stamp.to_be_bytes())
                .collect();
            let row = build_item(
                &keys::update_row(asset, next),
                [
                    (
                        "s",
                        pack_record(&set, || format!("the updates of {asset}"))?,
                    ),
                    ("i", bytes_value(ids)),
                    ("p", number_value(last)),
                    ("g", number_value(generation)),
                    ("ttl", number_value(self.stamps.expiry_after(RETENTION))),
                ],
            );
            let unchanged = match last {
                0 => Guard::with_condition("attribute_not_exists(n)"),
                last => Guard::with_condition("n = :last").with_value(":last", number_value(last)),
            };
            let ops = vec![
                Op::Put(build_item(&head, [("n", number_value(next))]), unchanged),
                Op::Put(row, Guard::unconditional()),
            ];
            if self.table.transact_ops(ops).await? == TransactOutcome::Done {
                return Ok(());
            }
            backoff.wait().await?;
        }
    }

    async fn update_rows(&self, asset: &AssetKey, after: Sequence) -> StateResult<Vec<Item>> {
        let query = Query::rows_of(keys::updates_pk(asset)).with_prefix("n#");
        let after = keys::update_sk(after.0);
        self.table
            .query_rows(query.starting_after(Some(after)))
            .await
    }

    pub(super) async fn updates_after(
        &self,
        asset: &AssetKey,
        after: Sequence,
    ) -> StateResult<Updates> {
        let mut rows = self.update_rows(asset, after).await?;
        let mut previous = after.0;
        // Each row names the number before it, so a gap shows that rows have expired.
        if rows.is_empty() {
            let head = keys::updates_head_row(asset);
            let head = self.table.get_row(&head, ReadConsistency::Strong).await?;
            previous = head.and_then(|head| head.number("n")).unwrap_or(after.0);
            if previous > after.0 {
                // Either the rows have expired, or one was added just now.
                rows = self.update_rows(asset, after).await?;
            }
        }
        if let Some(first) = rows.first() {
            previous = first.number("p").unwrap_or_default();
        }
        // The position never goes back, even for an asset whose log is gone.
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
            // The rows in between have expired.
            updates.partitions = self.partition_statuses(asset).await?.materialized;
        }
        for row in &rows {
            updates.partitions |= &partitions_of_row(row)?;
        }
        Ok(updates)
    }
}
