//! Pools in memory.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::MemoryStore;
use crate::state::{PoolState, PoolStore, Slot, SlotAnswer, SlotHolder, SlotRequest, StateResult};

#[async_trait]
impl PoolStore for MemoryStore {
    async fn set_pool_limit(&self, pool: &str, limit: Option<u32>) -> StateResult<()> {
        let mut tables = self.tables();
        match limit {
            Some(limit) => tables.limits.insert(pool.to_owned(), limit),
            None => tables.limits.remove(pool),
        };
        Ok(())
    }

    async fn pool_state(&self, pool: &str, now: DateTime<Utc>) -> StateResult<PoolState> {
        let tables = self.tables();
        let slots = tables.slots.get(pool).into_iter().flatten();
        Ok(PoolState {
            limit: tables.limits.get(pool).copied(),
            slots: slots
                .filter(|(_, expires_at)| **expires_at > now)
                .map(|(holder, expires_at)| Slot {
                    holder: holder.clone(),
                    expires_at: *expires_at,
                })
                .collect(),
        })
    }

    async fn limited_pools(&self) -> StateResult<Vec<String>> {
        Ok(self.tables().limits.keys().cloned().collect())
    }

    async fn acquire_slot(&self, request: SlotRequest) -> StateResult<SlotAnswer> {
        let mut tables = self.tables();
        let Some(limit) = tables.limits.get(&request.pool).copied() else {
            return Ok(SlotAnswer::Unlimited);
        };
        let slots = tables.slots.entry(request.pool).or_default();
        // Expired slots go first, so that even their former holder has to find a free one.
        slots.retain(|_, expires_at| *expires_at > request.now);
        if slots.len() < limit as usize || slots.contains_key(&request.holder) {
            slots.insert(request.holder, request.expires_at);
            return Ok(SlotAnswer::Granted);
        }
        Ok(SlotAnswer::Full {
            limit,
            next_expiry: slots.values().min().copied(),
        })
    }

    async fn release_slot(&self, pool: &str, holder: &SlotHolder) -> StateResult<()> {
        if let Some(slots) = self.tables().slots.get_mut(pool) {
            slots.remove(holder);
        }
        Ok(())
    }
}
