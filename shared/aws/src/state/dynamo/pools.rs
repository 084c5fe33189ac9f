//! Pools: one row holds a pool's limit and its slots, by holder.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, Utc};
use precip_engine::state::{
    PoolState, PoolStore, ReadConsistency, Slot, SlotAnswer, SlotHolder, SlotRequest, StateResult,
};

use super::{
    call::{Guard, Op, Query, TransactOutcome},
    item::{Attributes, Item, build_item, number_value},
    keys,
    store::DynamoStore,
};

/// The most expired slots cleared by one write: an expression may have 4 KB.
const CLEARED_AT_ONCE: usize = 50;

/// The row of a pool.
#[derive(Debug, Default)]
struct Pool {
    limit: Option<u32>,
    /// The expiry of each holder's slot, in microseconds since 1970.
    slots: BTreeMap<String, i64>,
}

impl Pool {
    fn from_row(row: &Item) -> Self {
        let slots = row.get("slots").and_then(|slots| slots.as_m().ok());
        let slot = |(holder, until): (&String, &AttributeValue)| {
            Some((holder.clone(), until.as_n().ok()?.parse().ok()?))
        };
        Self {
            limit: row.number("lim"),
            slots: slots.into_iter().flatten().filter_map(slot).collect(),
        }
    }

    fn into_state(self, now: DateTime<Utc>) -> PoolState {
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

/// Returns an update that removes expired slots, and the condition that they were not renewed.
fn clear_expired(expired: Vec<(&String, &i64)>, mut guard: Guard) -> (String, String, Guard) {
    let (mut removed, mut unchanged) = (Vec::new(), Vec::new());
    for (index, (holder, until)) in expired.into_iter().enumerate() {
        removed.push(format!("slots.#e{index}"));
        unchanged.push(format!("slots.#e{index} = :e{index}"));
        guard = guard
            .with_name(format!("#e{index}"), holder)
            .with_value(format!(":e{index}"), number_value(until));
    }
    let update = format!("REMOVE {}", removed.join(", "));
    (update, unchanged.join(" AND "), guard)
}

impl DynamoStore {
    async fn find_pool(&self, pool: &str) -> StateResult<Pool> {
        let key = keys::pool_row(pool).check_length()?;
        let row = self.table.get_row(&key, ReadConsistency::Strong).await?;
        Ok(row.as_ref().map(Pool::from_row).unwrap_or_default())
    }

    /// Takes a slot with one conditional write that also clears expired slots. DynamoDB counts the
    /// slots, so racing holders never exceed the limit and conflict only when the pool is full.
    async fn take_slot(&self, request: &SlotRequest, pool: &Pool, limit: u32) -> StateResult<bool> {
        let now = request.now.timestamp_micros();
        let holder = &request.holder.0;
        let own = pool.slots.get(holder).filter(|until| **until > now);
        // The holder's own slot is renewed, not cleared.
        let mut expired: Vec<_> = pool
            .slots
            .iter()
            .filter(|(other, until)| **until <= now && *other != holder)
            .collect();
        if expired.len() > CLEARED_AT_ONCE {
            // Clear a part and report failure: the caller reads the pool again.
            expired.truncate(CLEARED_AT_ONCE);
            let (update, condition, guard) = clear_expired(expired, Guard::unconditional());
            let key = keys::pool_row(&request.pool);
            let guard = Guard {
                condition: Some(condition),
                ..guard
            };
            self.table.write_op(Op::Update(key, update, guard)).await?;
            return Ok(false);
        }
        let mut guard = Guard::unconditional()
            .with_name("#h", holder)
            .with_value(":limit", number_value(limit))
            .with_value(
                ":until",
                number_value(request.expires_at.timestamp_micros()),
            );
        let mut update = "SET slots.#h = :until".to_owned();
        let mut condition = "lim = :limit".to_owned();
        match own {
            Some(until) => {
                // Renewing a slot needs no room, but the slot must not have been taken away.
                condition.push_str(" AND slots.#h = :own");
                guard = guard.with_value(":own", number_value(until));
            }
            None => {
                // The holder's own expired slot is still in the map, and is replaced.
                let mine = usize::from(pool.slots.contains_key(holder));
                let room = limit as usize + expired.len() + mine;
                condition.push_str(" AND size(slots) < :room");
                guard = guard.with_value(":room", number_value(room));
            }
        }
        if !expired.is_empty() {
            let (clear, unchanged, with) = clear_expired(expired, guard);
            update.push_str(&format!(" {clear}"));
            condition.push_str(&format!(" AND {unchanged}"));
            guard = with;
        }
        guard.condition = Some(condition);
        let key = keys::pool_row(&request.pool);
        let taken = self.table.write_op(Op::Update(key, update, guard)).await?;
        Ok(taken.is_done())
    }
}

#[async_trait]
impl PoolStore for DynamoStore {
    async fn set_pool_limit(&self, pool: &str, limit: Option<u32>) -> StateResult<()> {
        let key = keys::pool_row(pool).check_length()?;
        let listed = keys::limited_pool_row(pool).check_length()?;
        let ops = match limit {
            // The list of limited pools changes in the same transaction.
            Some(limit) => {
                let guard = Guard::unconditional()
                    .with_value(":limit", number_value(limit))
                    .with_value(":none", AttributeValue::M(HashMap::new()));
                let update = "SET lim = :limit, slots = if_not_exists(slots, :none)";
                vec![
                    Op::Update(key, update.to_owned(), guard),
                    Op::Put(build_item(&listed, []), Guard::unconditional()),
                ]
            }
            None => vec![
                Op::Update(key, "REMOVE lim".to_owned(), Guard::unconditional()),
                Op::Delete(listed, Guard::unconditional()),
            ],
        };
        let mut backoff = self.table.backoff("set the limit of a pool");
        while self.table.transact_ops(ops.clone()).await? != TransactOutcome::Done {
            backoff.wait().await?;
        }
        Ok(())
    }

    async fn pool_state(&self, pool: &str, now: DateTime<Utc>) -> StateResult<PoolState> {
        Ok(self.find_pool(pool).await?.into_state(now))
    }

    async fn limited_pools(&self) -> StateResult<Vec<String>> {
        let rows = self
            .table
            .query_rows(Query::rows_of(keys::LIMITED_POOLS))
            .await?;
        Ok(rows.iter().map(|row| row.key().sk).collect())
    }

    async fn acquire_slot(&self, request: SlotRequest) -> StateResult<SlotAnswer> {
        let mut backoff = self.table.backoff("take a slot of a pool");
        loop {
            let pool = self.find_pool(&request.pool).await?;
            let Some(limit) = pool.limit else {
                return Ok(SlotAnswer::Unlimited);
            };
            let now = request.now.timestamp_micros();
            let taken = pool.slots.iter().filter(|(_, until)| **until > now);
            // Refused without a write when the pool is full as it was read.
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
            if self.take_slot(&request, &pool, limit).await? {
                return Ok(SlotAnswer::Granted);
            }
            // Another holder changed the pool, or expired slots were cleared.
            backoff.wait().await?;
        }
    }

    async fn release_slot(&self, pool: &str, holder: &SlotHolder) -> StateResult<()> {
        let guard = Guard::with_condition("attribute_exists(slots.#h)").with_name("#h", &holder.0);
        let key = keys::pool_row(pool).check_length()?;
        let update = "REMOVE slots.#h".to_owned();
        self.table
            .write_op(Op::Update(key, update, guard))
            .await
            .map(drop)
    }
}
