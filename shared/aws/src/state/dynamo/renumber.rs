//! New ordinals for the partitions of an asset whose definition changed.
//!
//! Each layout that moves an ordinal is a new generation. The rows are given their new ordinals and the
//! generation's number; the head of the status bitmaps is moved to the generation when all of them are
//! done; then the bitmaps are made again. Stream records from before are told by their generation. Every
//! step can be done again, so that a renumbering that was killed is finished by the next one.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use futures::{StreamExt, TryStreamExt, stream};
use precip_core::{
    key::AssetKey,
    partitions::{PartitionKey, PartitionSet},
};
use precip_engine::state::{OrdinalOf, ReadConsistency, StateResult};

use super::{
    call::{Guard, Op, Patience, Query, REQUESTS_AT_ONCE},
    codec::pack,
    item::{Attributes, Item, item, number, text},
    keys,
    row::Row,
    store::DynamoStore,
    updates::partitions,
};

/// The new ordinal of each partition key: `None` for one that the definition does not have any more.
type Numbers = HashMap<Option<PartitionKey>, Option<u64>>;

impl DynamoStore {
    pub(super) async fn renumber_asset(
        &self,
        asset: &AssetKey,
        layout: &str,
        ordinal: &OrdinalOf<'_>,
    ) -> StateResult<()> {
        let key = keys::statuses_head(asset);
        let mut patience = Patience::new("number an asset's partitions anew");
        loop {
            let head = self.table.get(&key, ReadConsistency::Strong).await?;
            if head.as_ref().and_then(|head| head.text("layout")) == Some(layout) {
                return Ok(());
            }
            let generation: u64 = head
                .as_ref()
                .and_then(|head| head.number("g"))
                .unwrap_or_default();
            let rows = self.rows(asset).await?;
            let mut numbers: Numbers = rows
                .iter()
                .map(|row| (row.partition.clone(), ordinal(row.partition.as_ref())))
                .collect();
            let failing = self
                .table
                .query(Query::all(keys::failing_pk(asset)))
                .await?;
            for partition in failing
                .iter()
                .filter_map(|row| keys::parse_failing(&row.key().sk))
            {
                let number = ordinal(partition.as_ref());
                numbers.insert(partition, number);
            }
            let layout_of = |head: Option<&Item>| head?.text("layout").map(text);
            let known = layout_of(head.as_ref());
            let head_row = |layout: Option<AttributeValue>, generation: u64, dirty: bool| {
                let mut row = item(&key, [("g", number(generation))]);
                row.extend(layout.map(|layout| ("layout".to_owned(), layout)));
                row.extend(dirty.then(|| ("dirty".to_owned(), number(1))));
                row
            };
            let guard = match &head {
                Some(_) => Guard::when("g = :g").value(":g", number(generation)),
                None => Guard::when("attribute_not_exists(g)"),
            };
            // Of a renumbering that was killed, some rows may have their new numbers already.
            let moved = rows.iter().any(|row| {
                row.generation > generation || numbers.get(&row.partition) != Some(&row.ordinal)
            });
            let mut now = generation;
            if moved {
                now += 1;
                self.renumber_updates(asset, &rows, &numbers, now).await?;
                self.renumber_rows(rows, &numbers, now).await?;
                let row = head_row(known, now, true);
                if !self
                    .table
                    .write(Op::Put(row, guard.clone()))
                    .await?
                    .is_done()
                {
                    patience.wait().await?;
                    continue;
                }
            }
            self.renumber_failing(&failing, &numbers).await?;
            if moved || head.is_some_and(|head| head.contains_key("dirty")) {
                self.projector().rebuild(asset).await?;
            }
            let guard = match moved {
                true => Guard::when("g = :g").value(":g", number(now)),
                false => guard,
            };
            let row = head_row(Some(text(layout)), now, false);
            if self.table.write(Op::Put(row, guard)).await?.is_done() {
                return Ok(());
            }
            patience.wait().await?;
        }
    }

    /// Numbers the update log anew, while the rows still say which ordinal was whose.
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
        let query = Query::all(keys::updates_pk(asset)).prefix("n#");
        for row in self.table.query(query).await? {
            let of: u64 = row.number("g").unwrap_or_default();
            if of >= generation {
                continue;
            }
            let moved: PartitionSet = partitions(&row)?
                .iter()
                .filter_map(|ordinal| moves.get(&ordinal).copied().flatten())
                .collect();
            let set = pack(&moved, || format!("the updates of {asset}"))?;
            let guard = Guard::when("g = :before")
                .value(":before", number(of))
                .value(":now", number(generation))
                .value(":set", set);
            let update = "SET s = :set, g = :now".to_owned();
            self.table
                .write(Op::Update(row.key(), update, guard))
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
                let guard = Guard::when("attribute_exists(pk)").value(":g", number(generation));
                match numbers.get(&row.partition).copied().flatten() {
                    Some(ordinal) => Op::Update(
                        row.key(),
                        "SET g = :g, o = :o".to_owned(),
                        guard.value(":o", number(ordinal)),
                    ),
                    None => Op::Update(row.key(), "SET g = :g REMOVE o".to_owned(), guard),
                }
            });
        stream::iter(ops)
            .map(|op| self.table.write(op))
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
            let guard = Guard::when("attribute_exists(pk)");
            let op = match number_of {
                Some(ordinal) => Op::Update(
                    row.key(),
                    "SET o = :o".to_owned(),
                    guard.value(":o", number(ordinal)),
                ),
                None => Op::Update(row.key(), "REMOVE o".to_owned(), guard),
            };
            self.table.write(op).await?;
        }
        Ok(())
    }
}
