//! Dynamic partition keys: a row a key, and a head that says which ordinal is next.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use precip_core::partitions::{DynamicKeys, PartitionKey};
use precip_engine::state::{
    DynamicPartitionStore, ReadConsistency, StateResult, check_dynamic_keys,
};

use super::{
    call::{Guard, Op, Patience, Query, TRANSACT_AT_ONCE, Transacted},
    item::{Attributes, Item, item, number},
    keys::{self, DYNAMIC_KEYS, Key},
    store::DynamoStore,
};

impl DynamoStore {
    async fn slots(&self, set: &str, keys: &[PartitionKey]) -> StateResult<HashMap<Key, Item>> {
        let rows = keys
            .iter()
            .map(|key| keys::dynamic(set, key).checked())
            .collect::<StateResult<Vec<_>>>()?;
        self.table.get_many(rows, ReadConsistency::Strong).await
    }

    /// Gives the next ordinals to keys that have none, as many as one transaction takes. Does nothing
    /// when somebody else was faster with any of them, or took an ordinal.
    async fn number_keys(&self, set: &str, fresh: &[&PartitionKey]) -> StateResult<Transacted> {
        let head = keys::dynamic_head(set);
        let known = self.table.get(&head, ReadConsistency::Strong).await?;
        let next: u64 = known.and_then(|head| head.number("n")).unwrap_or_default();
        let batch = &fresh[..fresh.len().min(TRANSACT_AT_ONCE - 1)];
        let guard = match next {
            0 => Guard::when("attribute_not_exists(n)"),
            next => Guard::when("n = :next").value(":next", number(next)),
        };
        let after = next + batch.len() as u64;
        let mut ops = vec![Op::Put(item(&head, [("n", number(after))]), guard)];
        for (key, ordinal) in batch.iter().zip(next..) {
            let key = keys::dynamic(set, key).checked()?;
            let row = item(&key, [("o", number(ordinal)), ("present", number(1))]);
            ops.push(Op::Put(row, Guard::when("attribute_not_exists(pk)")));
        }
        self.table.transact(ops).await
    }
}

#[async_trait]
impl DynamicPartitionStore for DynamoStore {
    async fn add_partitions(&self, set: &str, keys: &[PartitionKey]) -> StateResult<Vec<u64>> {
        check_dynamic_keys(set, keys)?;
        let mut patience = Patience::new("add partition keys");
        loop {
            let known = self.slots(set, keys).await?;
            let row = |key| known.get(&keys::dynamic(set, key));
            let mut fresh: Vec<&PartitionKey> = Vec::new();
            for key in keys {
                if row(key).is_none() && !fresh.contains(&key) {
                    fresh.push(key);
                }
            }
            if !fresh.is_empty() {
                if self.number_keys(set, &fresh).await? != Transacted::Done {
                    patience.wait().await?;
                }
                continue;
            }
            let gone = keys
                .iter()
                .filter(|key| row(key).is_some_and(|row| row.number("present") != Some(1)));
            for key in gone {
                let guard = Guard::none().value(":one", number(1));
                let update = "SET present = :one".to_owned();
                let key = keys::dynamic(set, key);
                self.table.write(Op::Update(key, update, guard)).await?;
            }
            let ordinals = keys.iter().map(|key| row(key)?.number("o"));
            let ordinals: Option<Vec<u64>> = ordinals.collect();
            return ordinals.ok_or_else(|| {
                super::error::unreadable("the ordinal of a key", &keys::dynamic_pk(set), "k#..")
            });
        }
    }

    async fn remove_partitions(&self, set: &str, keys: &[PartitionKey]) -> StateResult<u64> {
        let mut removed = 0;
        for key in self.slots(set, keys).await?.into_keys() {
            let guard = Guard::when("present = :one")
                .value(":one", number(1))
                .value(":zero", number(0));
            let update = "SET present = :zero".to_owned();
            let written = self.table.write(Op::Update(key, update, guard)).await?;
            removed += u64::from(written.is_done());
        }
        Ok(removed)
    }

    async fn partitions(&self, set: &str) -> StateResult<DynamicKeys> {
        let query = Query::all(keys::dynamic_pk(set)).prefix(DYNAMIC_KEYS);
        let mut slots: BTreeMap<u64, Option<PartitionKey>> = BTreeMap::new();
        for row in self.table.query(query).await? {
            let sk = row.key().sk;
            let key = sk.strip_prefix(DYNAMIC_KEYS).map(PartitionKey::from);
            if let Some(ordinal) = row.number("o") {
                let present = row.number("present") == Some(1);
                slots.insert(ordinal, key.filter(|_| present));
            }
        }
        // Ordinals have no gaps: they are given and the keys are written in one transaction.
        Ok(DynamicKeys::from_slots(slots.into_values().collect()))
    }
}
