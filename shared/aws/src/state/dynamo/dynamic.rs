//! Dynamic partition keys: one row per key, and a head row with the next ordinal.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use precip_core::partitions::{DynamicKeys, PartitionKey};
use precip_engine::state::{
    DynamicPartitionStore, ReadConsistency, StateResult, check_dynamic_keys,
};

use super::{
    call::{Guard, Op, Query, TRANSACT_AT_ONCE, TransactOutcome},
    item::{Attributes, Item, build_item, number_value},
    keys::{self, DYNAMIC_KEYS, Key},
    store::DynamoStore,
};

impl DynamoStore {
    /// Reads the rows of keys; keys that were never added are left out.
    async fn key_rows(&self, set: &str, keys: &[PartitionKey]) -> StateResult<HashMap<Key, Item>> {
        let rows = keys
            .iter()
            .map(|key| keys::dynamic_row(set, key).check_length())
            .collect::<StateResult<Vec<_>>>()?;
        self.table.get_many(rows, ReadConsistency::Strong).await
    }

    /// Assigns the next ordinals to new keys, as many as one transaction takes. Changes nothing if
    /// another process added one of the keys or took an ordinal in the meantime.
    async fn number_keys(
        &self,
        set: &str,
        fresh: &[&PartitionKey],
    ) -> StateResult<TransactOutcome> {
        let head = keys::dynamic_head_row(set);
        let known = self.table.get_row(&head, ReadConsistency::Strong).await?;
        let next: u64 = known.and_then(|head| head.number("n")).unwrap_or_default();
        let batch = &fresh[..fresh.len().min(TRANSACT_AT_ONCE - 1)];
        // One write of the transaction is the head's.
        let guard = match next {
            0 => Guard::with_condition("attribute_not_exists(n)"),
            next => Guard::with_condition("n = :next").with_value(":next", number_value(next)),
        };
        let after = next + batch.len() as u64;
        let mut ops = vec![Op::Put(
            build_item(&head, [("n", number_value(after))]),
            guard,
        )];
        for (key, ordinal) in batch.iter().zip(next..) {
            let key = keys::dynamic_row(set, key).check_length()?;
            let row = build_item(
                &key,
                [("o", number_value(ordinal)), ("present", number_value(1))],
            );
            ops.push(Op::Put(
                row,
                Guard::with_condition("attribute_not_exists(pk)"),
            ));
        }
        self.table.transact_ops(ops).await
    }
}

#[async_trait]
impl DynamicPartitionStore for DynamoStore {
    async fn add_dynamic_keys(&self, set: &str, keys: &[PartitionKey]) -> StateResult<Vec<u64>> {
        check_dynamic_keys(set, keys)?;
        let mut backoff = self.table.backoff("add partition keys");
        // New keys are numbered first, in transactions that may be refused; the last pass, in which every
        // key has a row, restores removed keys and returns the ordinals.
        loop {
            let known = self.key_rows(set, keys).await?;
            let row = |key| known.get(&keys::dynamic_row(set, key));
            // A key may be given twice: it gets one ordinal, which is returned twice.
            let mut fresh: Vec<&PartitionKey> = Vec::new();
            for key in keys {
                if row(key).is_none() && !fresh.contains(&key) {
                    fresh.push(key);
                }
            }
            if !fresh.is_empty() {
                if self.number_keys(set, &fresh).await? != TransactOutcome::Done {
                    backoff.wait().await?;
                }
                continue;
            }
            let removed = keys
                .iter()
                .filter(|key| row(key).is_some_and(|row| row.number("present") != Some(1)));
            for key in removed {
                let guard = Guard::unconditional().with_value(":one", number_value(1));
                let update = "SET present = :one".to_owned();
                let key = keys::dynamic_row(set, key);
                self.table.write_op(Op::Update(key, update, guard)).await?;
            }
            let ordinals: Option<Vec<u64>> = keys.iter().map(|key| row(key)?.number("o")).collect();
            return ordinals.ok_or_else(|| {
                super::error::unreadable_row("the ordinal of a key", &keys::dynamic_pk(set), "k#..")
            });
        }
    }

    async fn remove_dynamic_keys(&self, set: &str, keys: &[PartitionKey]) -> StateResult<u64> {
        let mut removed = 0;
        for key in self.key_rows(set, keys).await?.into_keys() {
            let guard = Guard::with_condition("present = :one")
                .with_value(":one", number_value(1))
                .with_value(":zero", number_value(0));
            let update = "SET present = :zero".to_owned();
            let written = self.table.write_op(Op::Update(key, update, guard)).await?;
            removed += u64::from(written.is_done());
        }
        Ok(removed)
    }

    async fn dynamic_keys(&self, set: &str) -> StateResult<DynamicKeys> {
        let query = Query::rows_of(keys::dynamic_pk(set)).with_prefix(DYNAMIC_KEYS);
        let mut slots: BTreeMap<u64, (PartitionKey, bool)> = BTreeMap::new();
        for row in self.table.query_rows(query).await? {
            let sk = row.key().sk;
            let key = sk.strip_prefix(DYNAMIC_KEYS).map(PartitionKey::from);
            if let (Some(ordinal), Some(key)) = (row.number("o"), key) {
                slots.insert(ordinal, (key, row.number("present") == Some(1)));
            }
        }
        // Ordinals have no gaps: one transaction assigns them and writes the keys.
        Ok(DynamicKeys::from_history(slots.into_values()))
    }
}
