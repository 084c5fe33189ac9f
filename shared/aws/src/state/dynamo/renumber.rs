//! New ordinals for the partitions of an asset whose definition changed.
//!
//! Each layout that moves an ordinal is a new generation. The rows get their new ordinals and the
//! generation's number; when all of them are done, the head of the status bitmaps moves to the
//! generation; then the bitmaps are rebuilt. Older stream records are recognized by their generation.
//! Every step can be repeated, so an interrupted renumbering is completed by the next one.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use futures::{StreamExt, TryStreamExt, stream};
use precip_core::{
    key::AssetKey,
    partitions::{PartitionKey, PartitionSet},
};
use precip_engine::state::{OrdinalOf, ReadConsistency, StateResult};

use super::{
    call::{Guard, Op, Query, REQUESTS_AT_ONCE},
    codec::pack_record,
    item::{Attributes, Item, build_item, number_value, text_value},
    keys,
    row::Row,
    store::DynamoStore,
    updates::partitions_of_row,
};

/// The new ordinal of each partition key; `None` for a key that is no longer in the definition.
type Numbers = HashMap<Option<PartitionKey>, Option<u64>>;

impl DynamoStore {
    pub(super) async fn renumber_asset(
        &self,
        asset: &AssetKey,
        layout: &str,
        ordinal: &OrdinalOf<'_>,
    ) -> StateResult<()> {
        let key = keys::statuses_head_row(asset);
        let mut backoff = self.table.backoff("renumber the partitions of an asset");
        loop {
            let head = self.table.get_row(&key, ReadConsistency::Strong).await?;
            if head.as_ref().and_then(|head| head.text("layout")) == Some(layout) {
                return Ok(());
            }
            let generation: u64 = head
                .as_ref()
                .and_then(|head| head.number("g"))
                .unwrap_or_default();
            let rows = self.all_rows(asset).await?;
            // The new ordinal of every key that has a latest row or fails a check.
            let mut numbers: Numbers = rows
                .iter()
                .map(|row| (row.partition.clone(), ordinal(row.partition.as_ref())))
                .collect();
            let failing = self
                .table
                .query_rows(Query::rows_of(keys::failing_pk(asset)))
                .await?;
            for partition in failing
                .iter()
                .filter_map(|row| keys::parse_failing(&row.key().sk))
            {
                let number = ordinal(partition.as_ref());
                numbers.insert(partition, number);
            }
            // Between the steps the head keeps its old layout, so that the next caller continues here,
            // and `dirty` says that the bitmaps must be rebuilt.
            let layout_of = |head: Option<&Item>| head?.text("layout").map(text_value);
            let known = layout_of(head.as_ref());
            let head_row = |layout: Option<AttributeValue>, generation: u64, dirty: bool| {
                let mut row = build_item(&key, [("g", number_value(generation))]);
                row.extend(layout.map(|layout| ("layout".to_owned(), layout)));
                row.extend(dirty.then(|| ("dirty".to_owned(), number_value(1))));
                row
            };
            let guard = match &head {
                Some(_) => {
                    Guard::with_condition("g = :g").with_value(":g", number_value(generation))
                }
                None => Guard::with_condition("attribute_not_exists(g)"),
            };
            // After an interrupted renumbering some rows have their new ordinals already.
            let moved = rows.iter().any(|row| {
                row.generation > generation || numbers.get(&row.partition) != Some(&row.ordinal)
            });
            let mut now = generation;
            if moved {
                now += 1;
                // The log first: it needs the old ordinals, which the rows are about to lose.
                self.renumber_updates(asset, &rows, &numbers, now).await?;
                self.renumber_rows(rows, &numbers, now).await?;
                let row = head_row(known, now, true);
                if !self
                    .table
                    .write_op(Op::Put(row, guard.clone()))
                    .await?
                    .is_done()
                {
                    backoff.wait().await?;
                    continue;
                }
            }
            self.renumber_failing(&failing, &numbers).await?;
            if moved || head.is_some_and(|head| head.contains_key("dirty")) {
                self.projector().rebuild_statuses(asset).await?;
            }
            let guard = if moved {
                Guard::with_condition("g = :g").with_value(":g", number_value(now))
            } else {
                guard
            };
            // The layout is set last: from here on the renumbering counts as complete.
            let row = head_row(Some(text_value(layout)), now, false);
            if self.table.write_op(Op::Put(row, guard)).await?.is_done() {
                return Ok(());
            }
            backoff.wait().await?;
        }
    }

    /// Renumbers the update log. It must come before the rows, which still hold the old ordinals.
    async fn renumber_updates(
        &self,
        asset: &AssetKey,
        rows: &[Row],
        numbers: &Numbers,
        generation: u64,
    ) -> StateResult<()> {
        let moves: HashMap<u64, Option<u64>> = rows
            .iter()
            .filter(|row| row.generation < generation)
            .filter_map(|row| Some((row.ordinal?, numbers.get(&row.partition).copied().flatten())))
            .collect();
        let query = Query::rows_of(keys::updates_pk(asset)).with_prefix("n#");
        for row in self.table.query_rows(query).await? {
            let before: u64 = row.number("g").unwrap_or_default();
            if before >= generation {
                // Renumbered by an earlier, interrupted call.
                continue;
            }
            let moved: PartitionSet = partitions_of_row(&row)?
                .iter()
                .filter_map(|ordinal| moves.get(&ordinal).copied().flatten())
                .collect();
            let set = pack_record(&moved, || format!("the updates of {asset}"))?;
            let guard = Guard::with_condition("g = :before")
                .with_value(":before", number_value(before))
                .with_value(":now", number_value(generation))
                .with_value(":set", set);
            let update = "SET s = :set, g = :now".to_owned();
            self.table
                .write_op(Op::Update(row.key(), update, guard))
                .await?;
        }
        Ok(())
    }

    async fn renumber_rows(
        &self,
        rows: Vec<Row>,
        numbers: &Numbers,
        generation: u64,
    ) -> StateResult<()> {
        let ops = rows
            .into_iter()
            .filter(|row| row.generation < generation)
            .map(|row| {
                let guard = Guard::with_condition("attribute_exists(pk)")
                    .with_value(":g", number_value(generation));
                match numbers.get(&row.partition).copied().flatten() {
                    Some(ordinal) => Op::Update(
                        row.key(),
                        "SET g = :g, o = :o".to_owned(),
                        guard.with_value(":o", number_value(ordinal)),
                    ),
                    None => Op::Update(row.key(), "SET g = :g REMOVE o".to_owned(), guard),
                }
            });
        stream::iter(ops)
            .map(|op| self.table.write_op(op))
            .buffer_unordered(REQUESTS_AT_ONCE)
            .try_for_each(|_| async { Ok(()) })
            .await
    }

    async fn renumber_failing(&self, rows: &[Item], numbers: &Numbers) -> StateResult<()> {
        for row in rows {
            let Some(partition) = keys::parse_failing(&row.key().sk) else {
                continue;
            };
            let number_of = numbers.get(&partition).copied().flatten();
            if row.number("o") == number_of {
                continue;
            }
            let guard = Guard::with_condition("attribute_exists(pk)");
            let op = match number_of {
                Some(ordinal) => Op::Update(
                    row.key(),
                    "SET o = :o".to_owned(),
                    guard.with_value(":o", number_value(ordinal)),
                ),
                None => Op::Update(row.key(), "REMOVE o".to_owned(), guard),
            };
            self.table.write_op(op).await?;
        }
        Ok(())
    }
}
