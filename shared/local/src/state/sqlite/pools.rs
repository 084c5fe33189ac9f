//! Pools in SQLite.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use precip_engine::state::{
    PoolState, PoolStore, Slot, SlotAnswer, SlotHolder, SlotRequest, StateError, StateResult,
};
use rusqlite::params;

use super::{SqliteStore, codec::to_micros, read::Read, write::Write};

impl Read<'_> {
    fn pool_limit(&self, pool: &str) -> Result<Option<u32>, StateError> {
        self.query_one("SELECT slots FROM pools WHERE name = ?1", [pool], |row| {
            row.get(0)
        })
    }

    fn pool_slots(&self, pool: &str, now: DateTime<Utc>) -> Result<Vec<Slot>, StateError> {
        let sql = "SELECT holder, expires_at FROM slots
                   WHERE pool = ?1 AND expires_at > ?2 ORDER BY holder";
        self.query_many(sql, params![pool, to_micros(now)], |row| {
            let expires_at: i64 = row.get(1)?;
            Ok(Slot {
                holder: SlotHolder(row.get(0)?),
                expires_at: DateTime::from_timestamp_micros(expires_at).unwrap_or(now),
            })
        })
    }
}

impl Write<'_> {
    fn take_slot(&mut self, request: &SlotRequest) -> Result<SlotAnswer, StateError> {
        let Some(limit) = self.pool_limit(&request.pool)? else {
            return Ok(SlotAnswer::Unlimited);
        };
        // Expired slots make room first. A holder that asks again renews its own slot.
        self.execute_change(
            "DELETE FROM slots WHERE pool = ?1 AND expires_at <= ?2",
            params![request.pool, to_micros(request.now)],
        )?;
        let slots = self.pool_slots(&request.pool, request.now)?;
        let held = slots.iter().any(|slot| slot.holder == request.holder);
        if slots.len() >= limit as usize && !held {
            return Ok(SlotAnswer::Full {
                limit,
                next_expiry: slots.iter().map(|slot| slot.expires_at).min(),
            });
        }
        self.execute_change(
            "INSERT OR REPLACE INTO slots (pool, holder, expires_at) VALUES (?1, ?2, ?3)",
            params![
                request.pool,
                request.holder.0,
                to_micros(request.expires_at)
            ],
        )?;
        Ok(SlotAnswer::Granted)
    }
}

#[async_trait]
impl PoolStore for SqliteStore {
    async fn set_pool_limit(&self, pool: &str, limit: Option<u32>) -> StateResult<()> {
        let pool = pool.to_owned();
        self.run_write(move |write| {
            match limit {
                Some(limit) => write.execute_change(
                    "INSERT OR REPLACE INTO pools (name, slots) VALUES (?1, ?2)",
                    params![pool, limit],
                )?,
                None => write.execute_change("DELETE FROM pools WHERE name = ?1", [pool])?,
            };
            Ok(())
        })
        .await
    }

    async fn pool_state(&self, pool: &str, now: DateTime<Utc>) -> StateResult<PoolState> {
        let pool = pool.to_owned();
        self.run_read(move |read| {
            Ok(PoolState {
                limit: read.pool_limit(&pool)?,
                slots: read.pool_slots(&pool, now)?,
            })
        })
        .await
    }

    async fn limited_pools(&self) -> StateResult<Vec<String>> {
        self.run_read(|read| {
            read.query_many("SELECT name FROM pools ORDER BY name", [], |row| row.get(0))
        })
        .await
    }

    async fn acquire_slot(&self, request: SlotRequest) -> StateResult<SlotAnswer> {
        self.run_write(move |write| write.take_slot(&request)).await
    }

    async fn release_slot(&self, pool: &str, holder: &SlotHolder) -> StateResult<()> {
        let (pool, holder) = (pool.to_owned(), holder.clone());
        self.run_write(move |write| {
            let sql = "DELETE FROM slots WHERE pool = ?1 AND holder = ?2";
            write
                .execute_change(sql, params![pool, holder.0])
                .map(|_| ())
        })
        .await
    }
}
