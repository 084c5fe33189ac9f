//! Dynamic partition keys in memory.

use async_trait::async_trait;
use precip_core::partitions::{DynamicKeys, PartitionKey};

use super::MemoryStore;
use crate::state::{DynamicPartitionStore, StateResult, check_dynamic_keys};

#[async_trait]
impl DynamicPartitionStore for MemoryStore {
    async fn add_dynamic_keys(&self, set: &str, keys: &[PartitionKey]) -> StateResult<Vec<u64>> {
        check_dynamic_keys(set, keys)?;
        let mut tables = self.tables();
        let slots = tables.dynamic.entry(set.to_owned()).or_default();
        // A removed key keeps its slot, so that it gets its old ordinal back.
        let mut add = |key: &PartitionKey| {
            let known = slots.iter().position(|(known, _)| known == key);
            let index = known.unwrap_or_else(|| {
                slots.push((key.clone(), true));
                slots.len() - 1
            });
            slots[index].1 = true;
            index as u64
        };
        Ok(keys.iter().map(&mut add).collect())
    }

    async fn remove_dynamic_keys(&self, set: &str, keys: &[PartitionKey]) -> StateResult<u64> {
        let mut tables = self.tables();
        let slots = tables.dynamic.get_mut(set).into_iter().flatten();
        let mut removed = 0;
        for (key, present) in slots {
            if keys.contains(key) && std::mem::take(present) {
                removed += 1;
            }
        }
        Ok(removed)
    }

    async fn dynamic_keys(&self, set: &str) -> StateResult<DynamicKeys> {
        let tables = self.tables();
        let slots = tables.dynamic.get(set).into_iter().flatten();
        Ok(DynamicKeys::from_history(slots.cloned()))
    }
}
