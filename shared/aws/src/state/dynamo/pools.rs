//! Pools: one row holds a pool's limit and its slots, by holder.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, Utc};
use precip_engine::state::{
    PoolState, PoolStore, ReadConsistency, Slot, SlotAnswer, SlotHolder, SlotRequest, StateResult,
};

use super::{
    call::{Guard, Op, Patience, Query, Transacted},
    item::{Attributes, Item, item, number},
    keys,
    store::DynamoStore,
};

#[derive(Debug, Default)]
struct Pool {
    limit: Option<u32>,
    /// Until when each holder has its slot, in microseconds since 1970.
    slots: BTreeMap<String, i64>,
}

impl Pool {
    fn of(row: &Item) -> Self {
        let slots = row.get("slots").and_then(|slots| slots.as_m().ok());
        let slot = |(holder, until): (&String, &AttributeValue)| {
            Some((holder.clone(), until.as_n().ok()?.parse().ok()?))
        };
        Self {
            limit: row.number("lim"),
            slots: slots.into_iter().flatten().filter_map(slot).collect(),
        }
    }

    fn state(self, now: DateTime<Utc>) -> PoolState {
        let slot = |(holder, until)| {
            let expires_at = DateTime::from_timestamp_micros(until)?;
            Some(Slot {
                holder: SlotHolder(holder),
                expires_at,
            })
        };
        let slots = self.slots.into_iter().filter_map(slot);
        PoolState {
            limit: self.limit,
            slots: slots.filter(|slot| slot.expires_at > now).collect(),
        }
    }
}

impl DynamoStore {
    async fn find_pool(&self, pool: &str) -> StateResult<Pool> {
        let key = keys::pool(pool).checked()?;
        let row = self.table.get(&key, ReadConsistency::Strong).await?;
        Ok(row.as_ref().map(Pool::of).unwrap_or_default())
    }

    /// Takes a slot, in one conditional write that also clears slots that expired: whether there is
    /// room is counted by DynamoDB, so that holders who race do not exceed the limit and only get in
    /// each other's way when the pool is full.
    async fn take(&self, request: &SlotRequest, pool: &Pool, limit: u32) -> StateResult<bool> {
        let now = request.now.timestamp_micros();
        let holder = &request.holder.0;
        let own = pool.slots.get(holder).filter(|until| **until > now);
        let expired: Vec<_> = pool
            .slots
            .iter()
            .filter(|(other, until)| **until <= now && *other != holder)
            .collect();
        let mut guard = Guard::none()
            .name("#h", holder)
            .value(":limit", number(limit))
            .value(":until", number(request.expires_at.timestamp_micros()));
        let mut update = "SET slots.#h = :until".to_owned();
        let mut condition = "lim = :limit".to_owned();
        match own {
            Some(until) => {
                condition.push_str(" AND slots.#h = :own");
                guard = guard.value(":own", number(until));
            }
            None => {
                // Its own expired slot is in the map as well, and makes no room for others.
                let mine = usize::from(pool.slots.contains_key(holder));
                let room = limit as usize + expired.len() + mine;
                condition.push_str(" AND size(slots) < :room");
                guard = guard.value(":room", number(room));
            }
        }
        for (index, (other, until)) in expired.into_iter().enumerate() {
            let (name, value) = (format!("#e{index}"), format!(":e{index}"));
            update.push_str(match index {
                0 => " REMOVE ",
                _ => ", ",
            });
            update.push_str(&format!("slots.{name}"));
            condition.push_str(&format!(" AND slots.{name} = {value}"));
            guard = guard.name(name, other).value(value, number(until));
        }
        guard.condition = Some(condition);
        let key = keys::pool(&request.pool);
        let taken = self.table.write(Op::Update(key, update, guard)).await?;
        Ok(taken.is_done())
    }
}

#[async_trait]
impl PoolStore for DynamoStore {
    async fn set_pool_limit(&self, pool: &str, limit: Option<u32>) -> StateResult<()> {
        let key = keys::pool(pool).checked()?;
        let listed = keys::limited_pool(pool).checked()?;
        let ops = match limit {
            Some(limit) => {
                let guard = Guard::none()
                    .value(":limit", number(limit))
                    .value(":none", AttributeValue::M(HashMap::new()));
                let update = "SET lim = :limit, slots = if_not_exists(slots, :none)";
                vec![
                    Op::Update(key, update.to_owned(), guard),
                    Op::Put(item(&listed, []), Guard::none()),
                ]
            }
            None => vec![
                Op::Update(key, "REMOVE lim".to_owned(), Guard::none()),
                Op::Delete(listed, Guard::none()),
            ],
        };
        let mut patience = Patience::new("set the limit of a pool");
        while self.table.transact(ops.clone()).await? != Transacted::Done {
            patience.wait().await?;
        }
        Ok(())
    }

    async fn pool(&self, pool: &str, now: DateTime<Utc>) -> StateResult<PoolState> {
        Ok(self.find_pool(pool).await?.state(now))
    }

    async fn pools(&self) -> StateResult<Vec<String>> {
        let rows = self.table.query(Query::all(keys::LIMITED_POOLS)).await?;
        Ok(rows.iter().map(|row| row.key().sk).collect())
    }

    async fn acquire(&self, request: SlotRequest) -> StateResult<SlotAnswer> {
        let mut patience = Patience::new("take a slot of a pool");
        loop {
            let pool = self.find_pool(&request.pool).await?;
            let Some(limit) = pool.limit else {
                return Ok(SlotAnswer::Unlimited);
            };
            let now = request.now.timestamp_micros();
            let taken = pool.slots.iter().filter(|(_, until)| **until > now);
            let (count, own) = taken
                .clone()
                .fold((0_usize, false), |(count, own), (holder, _)| {
                    (count + 1, own || *holder == request.holder.0)
                });
            if !own && count >= limit as usize {
                let next = taken.map(|(_, until)| *until).min();
                return Ok(SlotAnswer::Full {
                    limit,
                    next_expiry: next.and_then(DateTime::from_timestamp_micros),
                });
            }
            if self.take(&request, &pool, limit).await? {
                return Ok(SlotAnswer::Granted);
            }
            patience.wait().await?;
        }
    }

    async fn release(&self, pool: &str, holder: &SlotHolder) -> StateResult<()> {
        let guard = Guard::when("attribute_exists(slots.#h)").name("#h", &holder.0);
        let key = keys::pool(pool).checked()?;
        let update = "REMOVE slots.#h".to_owned();
        self.table
            .write(Op::Update(key, update, guard))
            .await
            .map(drop)
    }
}
